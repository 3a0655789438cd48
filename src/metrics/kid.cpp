#include "metrics/kid.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "metrics/numpy_random.h"

namespace lazymar {
namespace {

/// (x.y / D + 1)^degree of every row of a with every row of b. Products are computed in fp32, as in
/// torch-fidelity; powers, and sums of a million of them, in fp64.
at::Tensor kernel(const at::Tensor& a, const at::Tensor& b, int64_t degree) {
  const at::Tensor products = a.mm(b.t()).to(c10::kDouble);
  return (products / static_cast<double>(a.size(1)) + 1).pow(degree);
}

double sum_off_diagonal(const at::Tensor& square) {
  return (square.sum() - square.trace()).item<double>();
}

/// The unbiased estimate of MMD^2 from equally many rows of both.
double squared_mmd(const at::Tensor& a, const at::Tensor& b, int64_t degree) {
  const auto m = static_cast<double>(a.size(0));
  const double within =
      sum_off_diagonal(kernel(a, a, degree)) + sum_off_diagonal(kernel(b, b, degree));
  return within / (m * (m - 1)) - 2 * kernel(a, b, degree).mean().item<double>();
}

}  // namespace

MeanDeviation kernel_inception_distance(const at::Tensor& a, const at::Tensor& b,
                                        const KidOptions& options) {
  const auto rows = std::min(a.size(0), b.size(0));
  if (options.subset_size < 2 || options.subsets < 1 || rows < options.subset_size) {
    throw usage_error("KID needs ", options.subsets, " subsets of ", options.subset_size,
                      " images (at least 2), but found ", rows,
                      " in the smaller set; use smaller subsets");
  }
  NumpyRandom random(options.seed);
  const auto draw = [&](const at::Tensor& set) {
    return set.index_select(0, at::tensor(random.choice(set.size(0), options.subset_size)));
  };
  std::vector<double> distances;
  for (int64_t i = 0; i < options.subsets; ++i) {
    const at::Tensor from_a = draw(a);
    const at::Tensor from_b = draw(b);
    distances.push_back(squared_mmd(from_a, from_b, options.degree));
  }
  return mean_deviation(distances);
}

}  // namespace lazymar
