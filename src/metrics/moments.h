#pragma once
/// Mean and covariance of features that pass by, in float64.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "metrics/statistics.h"

namespace lazymar {

/// Count, mean and centred scatter of rows. Sums of squares about zero would lose the digits that
/// the mean takes; so every batch is centred on its own mean, and two parts are joined by Chan,
/// Golub and LeVeque's update (1979): the scatter about the common mean is the sum of both and of
/// gap gap^T n m / (n + m). Which rows came in which batch or part shows in the last bits only.
struct Moments {
  int64_t count = 0;
  at::Tensor mean;     ///< [D] fp64; undefined while count is 0
  at::Tensor scatter;  ///< [D, D] fp64: sum of (x - mean)(x - mean)^T

  /// features [B, D] of any floating type, on the CPU; B may be 0.
  void add(const at::Tensor& features);
  /// Joins another part (a rank's, a block's); either may be empty.
  void merge(const Moments& other);

  /// Mean and scatter / (count - 1). Throws Error (usage) for fewer than two rows.
  GaussianStatistics statistics() const;
};

}  // namespace lazymar
