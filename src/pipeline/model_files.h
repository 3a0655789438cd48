#pragma once
/// Finds checkpoints and loads the networks.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/network_config.h"
#include "mar/mar.h"
#include "method/sampling_options.h"
#include "vae/kl_decoder.h"
#include "weights/weight_file.h"
#include "weights/weights.h"

namespace lazymar {

/// eval.py's flags about the networks. They are checked against a checkpoint; with random weights
/// they set the shape.
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
  bool check_crc = true;  ///< compares the checksums of what is read from a .pth or .ckpt
  uint64_t seed = 1;      ///< of random weights
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
  std::optional<WeightsInUse> mar_weights;  ///< what was taken from the file, if there is one
  std::optional<WeightsInUse> vae_weights;
};

/// Hashes of both networks' weights, made in the background; of random weights their source.
struct WeightHashes {
  explicit WeightHashes(const Model& model);
  WeightHash mar, vae;
};

/// Throws Error (usage) if a file is missing (naming it and its source), does not fit a MAR or
/// KL-VAE, or contradicts a flag.
Model load_model(const ModelRequest& request, Placement placement);

/// Loads a MAR and a VAE from files, checked tensor by tensor.
Mar load_mar_file(FileWeights& weights, const MarConfig& config);
KlDecoder load_vae_file(FileWeights& weights);

/// sqrt(token channels / latent channels); throws (usage) if that is not a whole number.
int64_t derive_patch_size(int64_t token_channels, int64_t vae_embed_dim);

}  // namespace lazymar
