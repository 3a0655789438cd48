#pragma once
/// Shapes of the networks, and the published architectures.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// Shape of a MAR network: encoder-decoder transformer and diffusion MLP head. Everything except
/// the number of attention heads follows from a checkpoint's tensors.
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
  int64_t middle_width = 0;           ///< channels after conv_in
  std::vector<int64_t> level_widths;  ///< output channels of "up.<i>"; 0 is the finest

  /// Pixels per latent position: every level but the finest doubles the size.
  int64_t stride() const { return int64_t{1} << (level_widths.size() - 1); }
};

/// KL-16 as published: 128 channels, multipliers 1, 1, 2, 2, 4.
VaeConfig kl16_config();

/// A named architecture: what a checkpoint's shapes do not determine, and the shapes for random
/// weights.
struct Preset {
  std::string_view name;
  int64_t dim, depth, heads;       ///< of the encoder and of the decoder
  int64_t head_depth, head_width;  ///< diffusion MLP
};

/// mar_base, mar_large, mar_huge as published; nullptr for other names.
const Preset* find_preset(std::string_view name);

/// The preset of that width, for a file without a model name; nullptr if there is none.
const Preset* preset_of_width(int64_t width);

/// The names that find_preset knows, for messages.
std::string preset_names();

/// The published architecture at 256x256 with KL-16, for random weights.
MarConfig published_config(const Preset& preset);

}  // namespace lazymar
