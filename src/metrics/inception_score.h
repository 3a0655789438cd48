#pragma once
/// The Inception Score (Salimans et al. 2016), as torch-fidelity 0.4.0 computes it (metric_isc.py).

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "metrics/mean_deviation.h"

namespace lazymar {

struct InceptionScoreOptions {
  int64_t splits = 10;
  bool shuffle = true;   ///< by numpy.random.RandomState(seed).permutation
  uint32_t seed = 2020;  ///< torch-fidelity's rng_seed
};

/// exp(mean KL(p(y|x) || p(y))) of each split [i n / splits, (i + 1) n / splits) of the shuffled
/// rows, in float64. logits [N, K] fp32 in the order of the images' names: the order chooses the
/// splits. Throws Error (usage) for fewer rows than splits.
MeanDeviation inception_score(const at::Tensor& logits, const InceptionScoreOptions& options = {});

}  // namespace lazymar
