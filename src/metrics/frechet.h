#pragma once
/// The Fréchet distance between two Gaussians (Dowson and Landau 1982; FID: Heusel et al. 2017).

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "metrics/statistics.h"

namespace lazymar {

/// |mu_a - mu_b|^2 + tr A + tr B - 2 tr (A B)^1/2, and its parts.
struct FrechetDistance {
  double distance = 0;
  double mean_term = 0;        ///< |mu_a - mu_b|^2
  double covariance_term = 0;  ///< tr A + tr B - 2 tr (A B)^1/2
  int64_t dim = 0;
  int64_t rank = 0;            ///< of A: eigenvalues above dim * epsilon * the largest
  int64_t rank_reference = 0;  ///< of B

  /// True if a covariance does not have full rank, as with no more images than features. The
  /// missing dimensions count as constant, which overstates the distance.
  bool rank_deficient() const { return rank < dim || rank_reference < dim; }
  /// Upper bound on the number of nonzero eigenvalues of A B.
  int64_t common_rank() const { return std::min(rank, rank_reference); }
};

/// Distances of many sets from one reference, which is decomposed once.
///
/// torch-fidelity 0.4.0 (metric_fid.py) takes tr (A B)^1/2 as the sum of Re sqrt(lambda) over the
/// eigenvalues of A B. With B = R R^T these are the eigenvalues of R^T A R, which is symmetric: no
/// complex numbers, a tenth of the time. Only the common_rank() largest are used: without full
/// rank, the root of the others' rounding errors is no longer small.
class FrechetReference {
 public:
  /// Throws Error (usage) for values that are not finite.
  explicit FrechetReference(const GaussianStatistics& reference);

  /// Throws Error (usage) if dimensions differ or values are not finite.
  FrechetDistance distance_from(const GaussianStatistics& set) const;

  const GaussianStatistics& statistics() const { return reference_; }
  /// R [D, rank], fp64.
  const at::Tensor& root() const { return root_; }

 private:
  GaussianStatistics reference_;
  at::Tensor root_;  ///< [D, rank]: R
};

/// One distance; symmetric up to rounding.
FrechetDistance frechet_distance(const GaussianStatistics& a, const GaussianStatistics& b);

}  // namespace lazymar
