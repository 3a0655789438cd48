#pragma once
/// Cost of computing a batch of images: seconds and FLOPs.

#include <cstdint>
#include <vector>

namespace lazymar {

/// Time of a batch's stages: wall time on a CPU, time between events on a GPU.
struct StageSeconds {
  double encoder = 0.0, decoder = 0.0, head = 0.0, vae = 0.0;
  double total = 0.0;  ///< from labels to pixels, everything included

  StageSeconds& operator+=(const StageSeconds& other);
};

/// The cost of one decoding step.
struct StepCost {
  double seconds = 0.0;
  int64_t flops = 0;

  bool operator==(const StepCost&) const = default;
};

/// Adds `more` to `sum`, step by step; an empty sum becomes `more`.
void add_steps(std::vector<StepCost>& sum, const std::vector<StepCost>& more);

}  // namespace lazymar
