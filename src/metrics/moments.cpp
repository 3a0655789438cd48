#include "metrics/moments.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace lazymar {
namespace {

/// The factor of gap gap^T that joining two parts adds to the sum of their scatters.
double weight_of_gap(int64_t a, int64_t b) {
  return static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(a + b);
}

}  // namespace

void Moments::add(const at::Tensor& features) {
  if (features.size(0) == 0) {
    return;
  }
  const at::Tensor rows = features.to(c10::kDouble);
  Moments batch;
  batch.count = rows.size(0);
  batch.mean = rows.mean(0);
  const at::Tensor centred = rows - batch.mean;
  batch.scatter = centred.t().mm(centred);
  merge(batch);
}

void Moments::merge(const Moments& other) {
  if (other.count == 0) {
    return;
  }
  if (count == 0) {
    count = other.count;
    mean = other.mean.clone();
    scatter = other.scatter.clone();
    return;
  }
  const at::Tensor gap = other.mean - mean;
  scatter.add_(other.scatter);
  scatter.addr_(gap, gap, /*beta=*/1, weight_of_gap(count, other.count));
  count += other.count;
  mean.add_(gap, static_cast<double>(other.count) / static_cast<double>(count));
}

GaussianStatistics Moments::statistics() const {
  if (count < 2) {
    throw usage_error("a covariance needs at least 2 images; found ", count == 0 ? "none" : "one");
  }
  return {mean.clone(), scatter / static_cast<double>(count - 1)};
}

}  // namespace lazymar
