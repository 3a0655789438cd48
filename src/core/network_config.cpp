#include "core/network_config.h"

#include <array>
#include <string>
#include <vector>

#include "core/text.h"

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
  std::vector<std::string> names;
  names.reserve(std::size(kPresets));
  for (const Preset& preset : kPresets) {
    names.emplace_back(preset.name);
  }
  return join(names, ", ");
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

}  // namespace lazymar
