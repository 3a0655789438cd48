#pragma once
/// Small networks on random weights, with every feature of the large ones.

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/network_config.h"
#include "mar/mar.h"
#include "weights/weights.h"

namespace lazymar::testing {

/// 16 tokens of 4 channels, 6 buffer rows, 5 blocks each, 6 head blocks.
inline MarConfig tiny_config() {
  MarConfig config;
  config.encoder_dim = config.decoder_dim = 32;
  config.encoder_depth = config.decoder_depth = 5;
  config.encoder_heads = config.decoder_heads = 4;
  config.encoder_mlp_dim = config.decoder_mlp_dim = 64;
  config.sequence_length = 16;
  config.buffer_size = 6;
  config.token_channels = 4;
  config.class_count = 3;
  config.head_width = 24;
  config.head_depth = 6;
  return config;
}

/// Latents of 4 channels to pictures of twice their size.
inline VaeConfig tiny_vae_config() {
  VaeConfig config;
  config.embed_dim = config.z_channels = 4;
  config.blocks_per_level = 2;
  config.groups = 4;
  config.middle_width = 16;
  config.level_widths = {8, 16};
  return config;
}

/// Random weights whose biases and norms are random too, so that a dropped one shows.
class RicherRandomWeights final : public WeightSource {
 public:
  explicit RicherRandomWeights(Placement placement)
      : WeightSource(placement), random_(1, placement) {}

  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override {
    at::Tensor value = random_.get(name, shape);
    // A scaled-down random matrix of another name, flattened, instead of zeros and ones.
    if (shape.size() == 1) {
      value = value + 0.1 * random_.get(name + ".noise", {2, shape[0]})[1] * std::sqrt(shape[0]);
    }
    return value;
  }
  void finish(const std::vector<std::string>&) override {}

 private:
  RandomWeights random_;
};

inline Mar tiny_mar(const MarConfig& config = tiny_config(), std::string_view precision = "fp64") {
  RicherRandomWeights weights({parse_precision(precision)});
  return load_mar(weights, config);
}

/// max |a - b| / max |b|.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

}  // namespace lazymar::testing
