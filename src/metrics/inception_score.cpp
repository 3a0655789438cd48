#include "metrics/inception_score.h"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "core/error.h"
#include "metrics/numpy_random.h"

namespace lazymar {
namespace {

/// exp of the mean KL divergence of rows' softmax from their common mean; logits [n, K].
double split_score(const at::Tensor& logits) {
  const at::Tensor scores = logits.to(c10::kDouble);
  const at::Tensor p = scores.softmax(1);
  const at::Tensor divergence =
      (p * (scores.log_softmax(1) - p.mean(0, /*keepdim=*/true).log())).sum(1);
  return divergence.mean().exp().item<double>();
}

std::vector<int64_t> row_order(int64_t count, const InceptionScoreOptions& options) {
  if (options.shuffle) {
    return NumpyRandom(options.seed).permutation(count);
  }
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

MeanDeviation inception_score(const at::Tensor& logits, const InceptionScoreOptions& options) {
  const int64_t count = logits.size(0);
  if (options.splits < 1 || count < options.splits) {
    throw usage_error("an Inception Score with ", options.splits,
                      " splits needs at least that many images; found ", count);
  }
  const at::Tensor order = at::tensor(row_order(count, options));
  std::vector<double> scores;
  for (int64_t i = 0; i < options.splits; ++i) {
    const int64_t first = i * count / options.splits;
    const int64_t end = (i + 1) * count / options.splits;
    scores.push_back(split_score(logits.index_select(0, order.slice(0, first, end))));
  }
  return mean_deviation(scores);
}

}  // namespace lazymar
