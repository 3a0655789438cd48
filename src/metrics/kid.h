#pragma once
/// The Kernel Inception Distance (Bińkowski et al. 2018), as torch-fidelity 0.4.0 computes it
/// (metric_kid.py).

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "metrics/mean_deviation.h"

namespace lazymar {

/// torch-fidelity's defaults.
struct KidOptions {
  int64_t subsets = 100;
  int64_t subset_size = 1000;
  int64_t degree = 3;    ///< of the kernel (x.y / D + 1)^degree
  uint32_t seed = 2020;  ///< of numpy.random.RandomState, which draws the subsets
};

/// Mean and deviation over subsets of the unbiased MMD^2 between rows of a [N, D] and b [M, D],
/// fp32. For each subset, rows are drawn without replacement, first from a and then from b; so the
/// order of rows and of the sets matters. Throws Error (usage), naming the number, if a set has
/// fewer rows than a subset.
MeanDeviation kernel_inception_distance(const at::Tensor& a, const at::Tensor& b,
                                        const KidOptions& options = {});

}  // namespace lazymar
