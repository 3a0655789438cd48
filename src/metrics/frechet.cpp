#include "metrics/frechet.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace lazymar {
namespace {

void check(const GaussianStatistics& statistics) {
  const int64_t dim = statistics.mu.numel();
  const bool fits = statistics.mu.dim() == 1 && statistics.sigma.dim() == 2 &&
                    statistics.sigma.size(0) == dim && statistics.sigma.size(1) == dim && dim > 0;
  if (!fits) {
    throw usage_error("a mean ", statistics.mu.sizes(), " and a covariance ",
                      statistics.sigma.sizes(), " do not match");
  }
  if (!statistics.mu.isfinite().all().item<bool>() ||
      !statistics.sigma.isfinite().all().item<bool>()) {
    throw usage_error("the statistics contain NaN or infinite values");
  }
}

/// Which eigenvalues of a covariance are larger than the rounding error of a zero.
at::Tensor above_zero(const at::Tensor& values) {
  const double level = static_cast<double>(values.numel()) *
                       std::numeric_limits<double>::epsilon() * values.max().item<double>();
  return values > level;
}

}  // namespace

FrechetReference::FrechetReference(const GaussianStatistics& reference) : reference_(reference) {
  check(reference);
  const auto [values, vectors] = at::linalg_eigh(reference.sigma);
  const at::Tensor kept = above_zero(values).nonzero().squeeze(1);
  root_ = vectors.index_select(1, kept) * values.index_select(0, kept).sqrt();
}

FrechetDistance FrechetReference::distance_from(const GaussianStatistics& set) const {
  check(set);
  FrechetDistance result;
  result.dim = reference_.mu.numel();
  if (set.mu.numel() != result.dim) {
    throw usage_error("features of ", set.mu.numel(), " dimensions cannot be compared with ",
                      result.dim, "; do they come from another extractor?");
  }
  result.rank = above_zero(at::linalg_eigvalsh(set.sigma)).sum().item<int64_t>();
  result.rank_reference = root_.size(1);
  // In ascending order.
  const at::Tensor values = at::linalg_eigvalsh(root_.t().mm(set.sigma).mm(root_));
  const at::Tensor largest = values.slice(0, values.numel() - result.common_rank()).clamp_min(0);
  result.mean_term = (set.mu - reference_.mu).square().sum().item<double>();
  result.covariance_term = (set.sigma.trace() + reference_.sigma.trace()).item<double>() -
                           2 * largest.sqrt().sum().item<double>();
  result.distance = result.mean_term + result.covariance_term;
  return result;
}

FrechetDistance frechet_distance(const GaussianStatistics& a, const GaussianStatistics& b) {
  return FrechetReference(b).distance_from(a);
}

}  // namespace lazymar
