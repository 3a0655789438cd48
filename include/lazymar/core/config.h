#pragma once
/// Configuration as small const structs: what the network is, how it is sampled, what is cached.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// Shape of a MAR network: encoder-decoder transformer and diffusion MLP head.
/// Everything but the numbers of attention heads can be read off a checkpoint's tensors.
struct MarConfig {
  int64_t encoder_dim = 0;
  int64_t encoder_depth = 0;
  int64_t encoder_heads = 0;
  int64_t encoder_mlp_dim = 0;  ///< hidden width of the blocks' MLP
  int64_t decoder_dim = 0;
  int64_t decoder_depth = 0;
  int64_t decoder_heads = 0;
  int64_t decoder_mlp_dim = 0;
  int64_t sequence_length = 0;  ///< L, tokens per image
  int64_t buffer_size = 0;      ///< P, rows that hold the class embedding
  int64_t token_channels = 0;   ///< C = vae_embed_dim * patch_size^2
  int64_t class_count = 0;
  int64_t head_width = 0;  ///< W
  int64_t head_depth = 0;  ///< residual blocks of the diffusion MLP
  double norm_eps = 1e-6;  ///< of every LayerNorm
  bool tanh_gelu = false;  ///< the published models use the exact (erf) GELU

  int64_t rows() const { return sequence_length + buffer_size; }
};

/// Latents are multiplied by this before MAR sees them (MAR, engine_mar.py).
inline constexpr double kLatentScale = 0.2325;

/// Shape of a KL-VAE decoder (LDM).
struct VaeConfig {
  int64_t embed_dim = 0;   ///< channels of a latent
  int64_t z_channels = 0;  ///< channels after post_quant_conv
  int64_t blocks_per_level = 0;
  int64_t groups = 32;     ///< of every GroupNorm
  double norm_eps = 1e-6;  ///< of every GroupNorm
  double latent_scale = kLatentScale;
  int64_t middle_width = 0;           ///< channels behind conv_in
  std::vector<int64_t> level_widths;  ///< output channels of "up.<i>"; 0 is the finest

  /// Pixels per latent position: every level but the finest doubles the size.
  int64_t stride() const { return int64_t{1} << (level_widths.size() - 1); }
};

/// KL-16 as published: 128 channels, multipliers 1, 1, 2, 2, 4.
VaeConfig kl16_config();

/// A named architecture: what a checkpoint's shapes do not tell, and the shapes for random weights.
struct Preset {
  std::string_view name;
  int64_t dim, depth, heads;       ///< of encoder and decoder alike
  int64_t head_depth, head_width;  ///< diffusion MLP
};

/// mar_base, mar_large, mar_huge as published; nullptr for another name.
const Preset* find_preset(std::string_view name);

/// The preset of that width, for a file that comes without its name; nullptr where there is none.
const Preset* preset_of_width(int64_t width);

/// The names that find_preset knows, for messages.
std::string preset_names();

/// The published architecture at 256x256 with KL-16, for random weights.
MarConfig published_config(const Preset& preset);

enum class CfgSchedule { kLinear, kConstant };

/// "linear" or "constant"; anything else throws (usage).
CfgSchedule parse_cfg_schedule(std::string_view text);
std::string_view to_string(CfgSchedule schedule);

/// How networks compute. kBf16, kFp16: matrix products and convolutions from weights of that type,
/// all between them in fp32. kAuto: bf16 where the device has instructions for it, else fp32.
enum class Precision { kAuto, kBf16, kFp16, kFp32, kFp64 };

/// "auto", "bf16", "fp16", "fp32" or "fp64"; anything else throws (usage).
Precision parse_precision(std::string_view text);
std::string_view to_string(Precision precision);

/// Work that is left out without changing anything but rounding, with its customary id where it has
/// one. All are on; tests switch each one off and compare.
struct Savings {
  bool time_table = true;      ///< H1: the head's time embeddings once per process
  bool condition_once = true;  ///< H2: cond_embed(z) once per decoding step
  bool gate_only = true;       ///< H3: of adaptive layers only the gate where nothing else is used
  bool first_step = true;      ///< S0: z of step 0 once per class
  bool row_inputs = true;      ///< D2, D4, E: a row's way into the first block only when it changes
  bool needed_rows = true;     ///< D1, D3: the last block's output only where it is asked for
  bool kept_queries = true;    ///< D5: the pruning layer's queries only for rows that are kept
  bool needed_stores = true;   ///< decoder rows cached only for a next step that leaves rows out
};

/// How images are drawn from the network.
struct SamplingOptions {
  int64_t num_iter = 64;             ///< S, decoding steps
  int64_t num_sampling_steps = 100;  ///< T, diffusion steps (1 to 1000)
  double cfg = 3.25;                 ///< guidance scale; 1 means no guidance
  CfgSchedule cfg_schedule = CfgSchedule::kLinear;
  double temperature = 1.0;  ///< factor of the noise added in a diffusion step

  bool guided() const { return cfg != 1.0; }
};

/// How the decoder's share of recomputed rows follows the decoding step.
enum class RetainKind { kScaled, kPublished, kList };

/// Which caches LazyMAR uses, and its constants (arXiv:2503.12450, defaults as released).
struct LazyOptions {
  bool token = true;         ///< rows recomputed only where they changed
  bool condition = true;     ///< unconditional output = conditional output + kept difference
  bool head = true;          ///< diffusion MLP: most timesteps reuse kept block outputs
  int64_t warmup = 5;        ///< decoding steps before the first lazy one
  int64_t refresh = 9;       ///< every so many decoding steps after the warm-up are full
  int64_t prune_layer = 3;   ///< rows are chosen after this decoder layer's attention
  int64_t extra = 15;        ///< rows kept beyond those just decoded and to be predicted
  int64_t head_refresh = 7;  ///< every so many diffusion steps compute the whole head
  RetainKind retain = RetainKind::kScaled;
  std::vector<double> retain_list;  ///< for kList: ratio by decoding step, the last one stays
  double condition_scale = 1.0;     ///< factor of the kept difference; 0 drops it (an ablation)

  /// Whether a decoding step may reuse what an earlier one kept; the others are full.
  bool lazy_step(int64_t step) const { return step >= warmup && (step - warmup) % refresh != 0; }
};

}  // namespace lazymar
