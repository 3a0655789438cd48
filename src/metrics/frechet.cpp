#include "lazymar/metrics/frechet.h"

#include <ATen/ATen.h>

#include <limits>

#include "lazymar/core/error.h"

namespace lazymar {
namespace {

void check(const GaussianStatistics& statistics) {
  const int64_t dim = statistics.mu.numel();
  const bool fits = statistics.mu.dim() == 1 && statistics.sigma.dim() == 2 &&
                    statistics.sigma.size(0) == dim && statistics.sigma.size(1) == dim && dim > 0;
  if (!fits) {
    throw usage_error("a mean ", statistics.mu.sizes(), " and a covariance ",
                      statistics.sigma.sizes(), " do not belong together");
  }
  if (!statistics.mu.isfinite().all().item<bool>() ||
      !statistics.sigma.isfinite().all().item<bool>()) {
    throw usage_error("statistics hold values that are not finite");
  }
}

/// What rounding makes of a zero among `dim` eigenvalues, at most.
double zero_level(const at::Tensor& values, int64_t dim) {
  const double largest = values.numel() == 0 ? 0 : values.max().item<double>();
  return static_cast<double>(dim) * std::numeric_limits<double>::epsilon() * largest;
}

}  // namespace

FrechetReference::FrechetReference(const GaussianStatistics& reference) : reference_(reference) {
  check(reference);
  const auto [values, vectors] = at::linalg_eigh(reference.sigma);
  const at::Tensor kept = values > zero_level(values, reference.mu.numel());
  root_ = vectors.index({at::indexing::Slice(), kept}) * values.masked_select(kept).sqrt();
}

FrechetDistance FrechetReference::distance_from(const GaussianStatistics& set) const {
  check(set);
  FrechetDistance result;
  result.dim = reference_.mu.numel();
  if (set.mu.numel() != result.dim) {
    throw usage_error("features of ", set.mu.numel(), " dimensions cannot be compared with ",
                      result.dim, ": another extractor?");
  }
  const at::Tensor values = at::linalg_eigvalsh(root_.t().mm(set.sigma).mm(root_));
  const at::Tensor kept = values.masked_select(values > zero_level(values, result.dim));
  result.rank_reference = root_.size(1);
  result.rank = kept.numel();
  result.mean_term = (set.mu - reference_.mu).square().sum().item<double>();
  result.covariance_term = (set.sigma.trace() + reference_.sigma.trace()).item<double>() -
                           2 * kept.sqrt().sum().item<double>();
  result.distance = result.mean_term + result.covariance_term;
  return result;
}

FrechetDistance frechet_distance(const GaussianStatistics& a, const GaussianStatistics& b) {
  return FrechetReference(b).distance_from(a);
}

}  // namespace lazymar
