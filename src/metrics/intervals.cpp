#include "metrics/intervals.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "metrics/numpy_random.h"

namespace lazymar {
namespace {

constexpr int64_t kRows = 2048;  ///< at a time: 32 MB of 2048 features in fp64

/// The `rank` largest eigenvalues of R^T S R, and the projection of features on their eigenvectors.
struct Coupling {
  at::Tensor values;  ///< [r]
  at::Tensor axes;    ///< [D, r]: R U
};

Coupling couple(const GaussianStatistics& set, const FrechetReference& reference, int64_t rank) {
  const at::Tensor& root = reference.root();
  const auto [values, vectors] = at::linalg_eigh(root.t().mm(set.sigma).mm(root));
  // In ascending order.
  const int64_t first = values.numel() - rank;
  return {values.slice(0, first).clamp_min(std::numeric_limits<double>::min()),
          root.mm(vectors.slice(1, first))};
}

/// Standard normal quantile: bisection on its distribution function.
double normal_quantile(double probability) {
  double low = -40;
  double high = 40;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    const double below = 0.5 * std::erfc(-middle / std::numbers::sqrt2);
    (below < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

ScoreEffects frechet_effects(const at::Tensor& features, const GaussianStatistics& set,
                             const FrechetReference& reference, const FrechetDistance& distance) {
  const c10::InferenceMode guard;
  const int64_t count = features.size(0);
  const Coupling coupling = couple(set, reference, distance.common_rank());
  const at::Tensor roots = coupling.values.sqrt();
  const at::Tensor slope = 2 * (set.mu - reference.statistics().mu);
  at::Tensor effects = at::empty({count}, c10::kDouble);
  at::Tensor fourth = at::zeros({roots.numel(), roots.numel()}, c10::kDouble);
  for (int64_t first = 0; first < count; first += kRows) {
    const int64_t rows = std::min(kRows, count - first);
    const at::Tensor centred = features.narrow(0, first, rows).to(c10::kDouble) - set.mu;
    const at::Tensor squares = centred.mm(coupling.axes).square();
    effects.narrow(0, first, rows)
        .copy_(centred.mv(slope) + centred.square().sum(1) - squares.mv(roots.reciprocal()));
    fourth.addmm_(squares.t(), squares);
  }
  const double n = static_cast<double>(count);
  const at::Tensor spread = fourth / n - coupling.values.square().diag();
  const at::Tensor weights =
      (roots.unsqueeze(0) * roots.unsqueeze(1) * (roots.unsqueeze(0) + roots.unsqueeze(1)))
          .reciprocal();
  const double bias =
      (set.sigma.trace().item<double>() + 0.5 * (spread * weights).sum().item<double>()) / n;
  return {(effects - effects.mean()) / n, bias};
}

ScoreEffects inception_effects(const at::Tensor& logits, const InceptionScoreOptions& options) {
  const c10::InferenceMode guard;
  const int64_t count = logits.size(0);
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (options.shuffle) {
    order = NumpyRandom(options.seed).permutation(count);
  }
  const at::Tensor rows = at::tensor(order, c10::kLong);
  at::Tensor effects = at::zeros({count}, c10::kDouble);
  for (int64_t split = 0; split < options.splits; ++split) {
    const int64_t first = split * count / options.splits;
    const int64_t last = (split + 1) * count / options.splits;
    const at::Tensor members = rows.narrow(0, first, last - first);
    const at::Tensor logs = at::log_softmax(logits.index_select(0, members).to(c10::kDouble), 1);
    const at::Tensor shares = logs.exp();
    const at::Tensor divergence = (shares * (logs - shares.mean(0, true).log())).sum(1);
    const at::Tensor mean = divergence.mean();
    // exp(mean) of a split changes by exp(mean) times the change of the mean of KL(p || mean p).
    // The change of mean p cancels to first order.
    const double weight = static_cast<double>((last - first) * options.splits);
    effects.index_copy_(0, members, (divergence - mean) * mean.exp() / weight);
  }
  return {effects, 0};
}

StandardError standard_error(const at::Tensor& effects, std::span<const int64_t> strata) {
  const at::Tensor values = effects.to(c10::kDouble).contiguous();
  const std::span<const double> effect(values.const_data_ptr<double>(),
                                       static_cast<size_t>(values.numel()));
  if (!strata.empty() && strata.size() != effect.size()) {
    throw Error(ErrorKind::kInternal, "standard_error: strata and images differ in number");
  }
  std::map<int64_t, std::vector<double>> groups;
  for (size_t i = 0; i < effect.size(); ++i) {
    groups[strata.empty() ? 0 : strata[i]].push_back(effect[i]);
  }
  std::vector<double> alone;
  std::erase_if(groups, [&](const auto& group) {
    const bool single = group.second.size() == 1;
    if (single) {
      alone.push_back(group.second.front());
    }
    return single;
  });
  StandardError error{0, 0};
  const auto add = [&error](const std::vector<double>& group) {
    const auto size = static_cast<double>(group.size());
    if (group.size() < 2) {
      return;
    }
    const double mean = std::accumulate(group.begin(), group.end(), 0.0) / size;
    double squares = 0;
    for (const double value : group) {
      squares += (value - mean) * (value - mean);
    }
    error.value += squares * size / (size - 1);
    error.freedom += size - 1;
  };
  for (const auto& [stratum, group] : groups) {
    add(group);
  }
  add(alone);
  return {std::sqrt(error.value), std::max(1.0, error.freedom)};
}

ScoreInterval score_interval(double score, const StandardError& error, double coverage) {
  const double reach = student_quantile((1 + coverage) / 2, error.freedom) * error.value;
  return {score - reach, score + reach};
}

double student_quantile(double probability, double freedom) {
  const double z = normal_quantile(probability);
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  const double z7 = z5 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

}  // namespace lazymar
