#pragma once
/// Finds checkpoints, reads their configuration, loads the networks.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "lazymar/core/config.h"
#include "lazymar/io/safetensors.h"
#include "lazymar/io/weights.h"
#include "lazymar/mar/mar.h"
#include "lazymar/vae/kl_decoder.h"

namespace lazymar {

/// What eval.py's flags say about the networks. Against a checkpoint they are checked; with random
/// weights they choose the shape.
struct ArchitectureFlags {
  std::optional<int64_t> img_size, vae_stride, patch_size, vae_embed_dim, class_num, buffer_size,
      diffloss_d, diffloss_w;
};

/// Which weights to load.
struct ModelRequest {
  std::string model = "mar_huge";  ///< a preset or a folder under pretrained_models/mar
  std::optional<std::filesystem::path> resume;  ///< file or folder; default: the model's own
  std::optional<std::filesystem::path> vae_path;
  bool random_weights = false;
  uint64_t seed = 1;  ///< of random weights
  ArchitectureFlags architecture;
};

/// Settings that a checkpoint's metadata recommends.
struct RecommendedSampling {
  std::optional<double> cfg;
  std::optional<CfgSchedule> cfg_schedule;
};

/// Both networks, ready to use.
struct Model {
  Mar mar;
  KlDecoder vae;
  int64_t patch_size = 1;
  int64_t img_size = 256;
  RecommendedSampling recommended;
  std::string mar_source;  ///< file, or "random weights (seed 1)"
  std::string vae_source;
};

/// Throws Error (usage) where a file is missing (naming it, where it comes from and how to convert
/// it), does not fit a MAR or KL-VAE, or contradicts a flag.
Model load_model(const ModelRequest& request, Placement placement);

/// The MAR's configuration: shapes, and heads from the metadata "config", else from the preset of
/// that width, else `heads`.
MarConfig read_mar_config(const SafetensorsFile& file, const Preset* preset,
                          std::optional<int64_t> heads = std::nullopt);

/// The KL-VAE decoder's configuration: shapes, and "num_groups", "norm_eps", "scale_factor" from
/// the metadata "config" where it has them.
VaeConfig read_vae_config(const SafetensorsFile& file);

/// Loads a MAR and a VAE from files, checked tensor by tensor.
Mar load_mar_file(const std::shared_ptr<const SafetensorsFile>& file, const MarConfig& config,
                  Placement placement);
KlDecoder load_vae_file(const std::shared_ptr<const SafetensorsFile>& file, Placement placement);

/// sqrt(token channels / latent channels); throws (usage) where that is no whole number.
int64_t derive_patch_size(int64_t token_channels, int64_t vae_embed_dim);

}  // namespace lazymar
