#include "lazymar/core/config.h"

#include <array>
#include <utility>

#include "lazymar/core/error.h"

namespace lazymar {
namespace {

// MAR paper, table of configurations; models/mar.py of github LTH14/mar.
constexpr std::array<Preset, 3> kPresets{{
    {"mar_base", 768, 12, 12, 6, 1024},
    {"mar_large", 1024, 16, 16, 8, 1280},
    {"mar_huge", 1280, 20, 16, 12, 1536},
}};

}  // namespace

const Preset* find_preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) {
      return &preset;
    }
  }
  return nullptr;
}

const Preset* preset_of_width(int64_t width) {
  for (const Preset& preset : kPresets) {
    if (preset.dim == width) {
      return &preset;
    }
  }
  return nullptr;
}

std::string preset_names() {
  std::string names;
  for (const Preset& preset : kPresets) {
    names += names.empty() ? "" : ", ";
    names += preset.name;
  }
  return names;
}

MarConfig published_config(const Preset& preset) {
  MarConfig config;
  config.encoder_dim = config.decoder_dim = preset.dim;
  config.encoder_depth = config.decoder_depth = preset.depth;
  config.encoder_heads = config.decoder_heads = preset.heads;
  config.encoder_mlp_dim = config.decoder_mlp_dim = 4 * preset.dim;
  config.sequence_length = 256;
  config.buffer_size = 64;
  config.token_channels = 16;
  config.class_count = 1000;
  config.head_width = preset.head_width;
  config.head_depth = preset.head_depth;
  return config;
}

VaeConfig kl16_config() {
  VaeConfig config;
  config.embed_dim = config.z_channels = 16;
  config.blocks_per_level = 3;
  config.middle_width = 512;
  config.level_widths = {128, 128, 256, 256, 512};
  return config;
}

CfgSchedule parse_cfg_schedule(std::string_view text) {
  if (text == "linear") {
    return CfgSchedule::kLinear;
  }
  if (text == "constant") {
    return CfgSchedule::kConstant;
  }
  throw usage_error("--cfg_schedule ", text, ": use linear or constant");
}

std::string_view to_string(CfgSchedule schedule) {
  return schedule == CfgSchedule::kLinear ? "linear" : "constant";
}

namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 5> kPrecisions{{
    {Precision::kAuto, "auto"},
    {Precision::kBf16, "bf16"},
    {Precision::kFp16, "fp16"},
    {Precision::kFp32, "fp32"},
    {Precision::kFp64, "fp64"},
}};

}  // namespace

Precision parse_precision(std::string_view text) {
  for (const auto& [precision, name] : kPrecisions) {
    if (text == name) {
      return precision;
    }
  }
  throw usage_error("--precision ", text, ": use auto, bf16, fp16, fp32 or fp64");
}

std::string_view to_string(Precision precision) {
  return kPrecisions[static_cast<size_t>(precision)].second;
}

}  // namespace lazymar
