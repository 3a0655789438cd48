#pragma once
/// Which networks to load. Free of LibTorch.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "method/sampling_options.h"

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
  bool model_given = false;        ///< by the user: then it must not contradict the checkpoint
  std::optional<std::filesystem::path> resume;  ///< file or folder; default: the model's own
  std::optional<std::filesystem::path> vae_path;
  std::optional<std::filesystem::path> checkpoint_dir;  ///< see files/pretrained.h
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

}  // namespace lazymar
