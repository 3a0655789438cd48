#pragma once
/// Streaming mean and covariance of features, in float64.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "metrics/statistics.h"

namespace lazymar {

/// Count, mean and centred scatter of rows. Sums of squares about zero would lose digits to the
/// mean. So every batch is centred on its own mean, and two parts are joined by Chan, Golub and
/// LeVeque's update (1979): the scatter about the common mean is the sum of both and of
/// gap gap^T n m / (n + m). The division into batches and parts affects only the last bits.
struct Moments {
  int64_t count = 0;
  at::Tensor mean;     ///< [D] fp64; undefined while count is 0
  at::Tensor scatter;  ///< [D, D] fp64: sum of (x - mean)(x - mean)^T

  /// features [B, D] of any floating type, on the CPU; B may be 0.
  void add(const at::Tensor& features);
  /// Merges another part (of a rank or a shard); either may be empty.
  void merge(const Moments& other);

  /// Mean and scatter / (count - 1). Throws Error (usage) for fewer than two rows.
  GaussianStatistics statistics() const;
};

}  // namespace lazymar
