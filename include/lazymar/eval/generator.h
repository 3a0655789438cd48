#pragma once
/// Labels and image ids in, pixels out: the networks and their settings behind one call.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/eval/model_files.h"
#include "lazymar/eval/runners.h"
#include "lazymar/mar/sampler.h"
#include "lazymar/nn/flops.h"

namespace lazymar {

/// Wall time of a block's stages.
struct StageSeconds {
  double encoder = 0.0, decoder = 0.0, head = 0.0, vae = 0.0;
  double total = 0.0;  ///< from labels to pixels, everything included
};

/// A block of images as it was made.
struct GeneratedBlock {
  at::Tensor pixels;  ///< [B, H, W, 3] uint8, on the CPU
  StageSeconds seconds;
  WorkCount work;
};

class Generator {
 public:
  Generator(Model model, const SamplingOptions& sampling, const std::optional<LazyOptions>& lazy,
            uint64_t seed);

  /// Image i of the set, for each id, with its class: both vectors have the block's size.
  GeneratedBlock generate(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels);

  const Model& model() const { return *model_; }
  /// Decoding steps of a batch that were lazy.
  int64_t lazy_steps() const;
  /// What plain MAR would execute for one image: rows through blocks of transformer and head.
  WorkCount baseline_rows() const;

 private:
  std::unique_ptr<const Model> model_;  ///< the sampler refers to it
  SamplingOptions sampling_;
  Sampler sampler_;
  Runners runners_;
  uint64_t seed_;
};

}  // namespace lazymar
