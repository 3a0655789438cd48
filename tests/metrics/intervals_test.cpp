#include "metrics/intervals.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "metrics/moments.h"

namespace lazymar {
namespace {

constexpr int64_t kDim = 16;

/// Normal samples around a mean, with a covariance of known eigenvalues.
struct Gaussian {
  at::Tensor mean, root;  ///< [D], [D, D]: covariance = root^T root

  GaussianStatistics statistics() const { return {mean, root.t().mm(root)}; }
  at::Tensor of(const at::Tensor& noise) const { return mean + noise.mm(root); }
};

Gaussian gaussian(at::Generator& random, double shift, double scale) {
  const at::Tensor axes = std::get<0>(at::linalg_qr(at::randn({kDim, kDim}, random, at::kDouble)));
  const at::Tensor deviations = scale * at::logspace(0, -1, kDim, 10.0, at::kDouble);
  return {at::full({kDim}, shift, at::kDouble), deviations.unsqueeze(1) * axes};
}

GaussianStatistics statistics_of(const at::Tensor& features) {
  Moments moments;
  moments.add(features);
  return moments.statistics();
}

double distance(const at::Tensor& features, const FrechetReference& reference) {
  return reference.distance_from(statistics_of(features)).distance;
}

ScoreEffects effects_of(const at::Tensor& features, const FrechetReference& reference) {
  const GaussianStatistics set = statistics_of(features);
  return frechet_effects(features, set, reference, reference.distance_from(set));
}

struct Estimate {
  double score = 0, bias = 0;
  ScoreInterval interval;
};

Estimate estimate(const at::Tensor& features, const FrechetReference& reference,
                  std::span<const int64_t> strata = {}) {
  const GaussianStatistics set = statistics_of(features);
  const FrechetDistance distance = reference.distance_from(set);
  const ScoreEffects effects = frechet_effects(features, set, reference, distance);
  return {distance.distance, effects.bias,
          score_interval(distance.distance, standard_error(effects.effects, strata))};
}

double mean_score(const std::vector<Estimate>& estimates) {
  double sum = 0;
  for (const Estimate& one : estimates) {
    sum += one.score;
  }
  return sum / static_cast<double>(estimates.size());
}

/// Share of the intervals that contain a value; `unbiased`: after subtracting the estimated bias.
double coverage(const std::vector<Estimate>& estimates, double value, bool unbiased = false) {
  const auto holds = [&](const Estimate& one) {
    const double shifted = value + (unbiased ? one.bias : 0);
    return one.interval.first <= shifted && shifted <= one.interval.second;
  };
  return static_cast<double>(std::count_if(estimates.begin(), estimates.end(), holds)) /
         static_cast<double>(estimates.size());
}

/// 400 intervals: a share of 0.95 has a standard deviation of 0.011.
constexpr int64_t kRepetitions = 400;
constexpr double kLeastShare = 0.91;
constexpr double kMostShare = 0.985;

TEST(Intervals, HoldTheDistanceOfGaussiansAsOftenAsTheySay) {
  at::Generator random = at::detail::createCPUGenerator(1);
  const Gaussian set = gaussian(random, 0.2, 1.0);
  const Gaussian other = gaussian(random, 0.0, 1.1);
  const FrechetReference reference(other.statistics());
  const double known = frechet_distance(set.statistics(), other.statistics()).distance;
  for (const int64_t count : {200, 1000}) {
    std::vector<Estimate> estimates;
    for (int64_t i = 0; i < kRepetitions; ++i) {
      estimates.push_back(
          estimate(set.of(at::randn({count, kDim}, random, at::kDouble)), reference));
    }
    // Of sets of this size, and, after subtracting the bias, of the Gaussians themselves.
    EXPECT_GE(coverage(estimates, mean_score(estimates)), kLeastShare) << count;
    EXPECT_LE(coverage(estimates, mean_score(estimates)), kMostShare) << count;
    EXPECT_GE(coverage(estimates, known, true), kLeastShare) << count;
    EXPECT_LE(coverage(estimates, known, true), kMostShare) << count;
    std::printf("n = %lld: coverage of FID at n %.3f, of the distance %.3f\n",
                static_cast<long long>(count), coverage(estimates, mean_score(estimates)),
                coverage(estimates, known, true));
    EXPECT_NEAR(mean_score(estimates) - known, estimates.front().bias,
                0.25 * estimates.front().bias)
        << count;
  }
}

TEST(Intervals, ControlAPlainBootstrapDoesNot) {
  at::Generator random = at::detail::createCPUGenerator(2);
  const Gaussian set = gaussian(random, 0.05, 1.0);
  const Gaussian other{at::zeros({kDim}, at::kDouble), 1.1 * set.root};
  const FrechetReference reference(other.statistics());
  const double known = frechet_distance(set.statistics(), other.statistics()).distance;
  constexpr int64_t kCount = 200;
  constexpr int64_t kResamples = 100;
  constexpr int64_t kSets = 60;
  int64_t held = 0;
  std::vector<Estimate> estimates;
  for (int64_t i = 0; i < kSets; ++i) {
    const at::Tensor features = set.of(at::randn({kCount, kDim}, random, at::kDouble));
    std::vector<double> scores;
    for (int64_t k = 0; k < kResamples; ++k) {
      const at::Tensor drawn = at::randint(kCount, {kCount}, random, at::kLong);
      scores.push_back(distance(features.index_select(0, drawn), reference));
    }
    std::sort(scores.begin(), scores.end());
    held += scores[2] <= known && known <= scores[97];
    estimates.push_back(estimate(features, reference));
  }
  std::printf("coverage of the distance by a bootstrap: %.3f, by these intervals: %.3f\n",
              static_cast<double>(held) / kSets, coverage(estimates, known, true));
  EXPECT_LT(static_cast<double>(held) / kSets, 0.5);
  EXPECT_GT(coverage(estimates, known, true), 0.85);
}

TEST(Intervals, EffectsAreWhatLeavingAnImageOutDoes) {
  at::Generator random = at::detail::createCPUGenerator(3);
  const Gaussian set = gaussian(random, 0.5, 1.0);
  const FrechetReference reference(gaussian(random, 0.0, 1.3).statistics());
  const at::Tensor features = set.of(at::randn({2000, kDim}, random, at::kDouble));
  const double whole = distance(features, reference);
  const ScoreEffects found = effects_of(features, reference);
  const auto deviation = found.effects.std().item<double>();
  for (const int64_t i : {0, 7, 1999}) {
    const at::Tensor others =
        at::cat({features.narrow(0, 0, i), features.narrow(0, i + 1, 1999 - i)});
    EXPECT_NEAR(whole - distance(others, reference), found.effects[i].item<double>(),
                0.05 * deviation);
  }
  EXPECT_NEAR(found.effects.sum().item<double>(), 0, 1e-9);

  const at::Tensor logits = 3 * at::randn({500, 10}, random, at::kFloat);
  InceptionScoreOptions options;
  options.splits = 1;
  options.shuffle = false;
  const double score = inception_score(logits, options).mean;
  const ScoreEffects effects = inception_effects(logits, options);
  for (const int64_t i : {0, 7, 499}) {
    const at::Tensor others = at::cat({logits.narrow(0, 0, i), logits.narrow(0, i + 1, 499 - i)});
    EXPECT_NEAR(score - inception_score(others, options).mean, effects.effects[i].item<double>(),
                0.05 * effects.effects.std().item<double>());
  }
}

TEST(Intervals, OfTheInceptionScoreHoldToo) {
  at::Generator random = at::detail::createCPUGenerator(4);
  const at::Tensor leaning = at::linspace(0, 1, 10, at::kFloat);
  std::vector<Estimate> estimates;
  for (int64_t i = 0; i < kRepetitions; ++i) {
    const at::Tensor logits = 2 * at::randn({1000, 10}, random, at::kFloat) + leaning;
    const double score = inception_score(logits).mean;
    const ScoreEffects effects = inception_effects(logits);
    estimates.push_back({score, 0, score_interval(score, standard_error(effects.effects))});
  }
  EXPECT_GE(coverage(estimates, mean_score(estimates)), kLeastShare);
  EXPECT_LE(coverage(estimates, mean_score(estimates)), kMostShare);
}

TEST(Intervals, OfPairsAreNarrowAndHold) {
  at::Generator random = at::detail::createCPUGenerator(5);
  const Gaussian set = gaussian(random, 0.5, 1.0);
  const Gaussian cached{set.mean + 0.01, 1.02 * set.root};
  const FrechetReference reference(gaussian(random, 0.0, 1.1).statistics());
  std::vector<Estimate> estimates;
  double paired = 0;
  double alone = 0;
  for (int64_t i = 0; i < kRepetitions; ++i) {
    const at::Tensor noise = at::randn({500, kDim}, random, at::kDouble);
    const at::Tensor a = set.of(noise);
    const at::Tensor b = cached.of(noise + 0.1 * at::randn({500, kDim}, random, at::kDouble));
    const at::Tensor of_a = effects_of(a, reference).effects;
    const at::Tensor of_b = effects_of(b, reference).effects;
    const double difference = distance(b, reference) - distance(a, reference);
    const StandardError error = standard_error(of_b - of_a);
    paired += error.value;
    alone += std::hypot(standard_error(of_a).value, standard_error(of_b).value);
    estimates.push_back({difference, 0, score_interval(difference, error)});
  }
  EXPECT_GE(coverage(estimates, mean_score(estimates)), kLeastShare);
  EXPECT_LE(coverage(estimates, mean_score(estimates)), kMostShare);
  EXPECT_LT(paired, 0.4 * alone);
}

TEST(Intervals, CountWhatVariesWithinClasses) {
  at::Generator random = at::detail::createCPUGenerator(6);
  const Gaussian set = gaussian(random, 0.5, 0.5);
  const FrechetReference reference(gaussian(random, 0.0, 1.5).statistics());
  constexpr int64_t kClasses = 20;
  constexpr int64_t kOfEach = 25;
  const at::Tensor centres = at::randn({kClasses, kDim}, random, at::kDouble);
  const at::Tensor shifts = centres.repeat_interleave(kOfEach, 0);
  std::vector<int64_t> strata;
  for (int64_t i = 0; i < kClasses * kOfEach; ++i) {
    strata.push_back(i / kOfEach);
  }
  std::vector<Estimate> by_class;
  std::vector<Estimate> as_one;
  for (int64_t i = 0; i < kRepetitions; ++i) {
    const at::Tensor features =
        set.of(at::randn({kClasses * kOfEach, kDim}, random, at::kDouble)) + shifts;
    by_class.push_back(estimate(features, reference, strata));
    as_one.push_back(estimate(features, reference));
  }
  EXPECT_GE(coverage(by_class, mean_score(by_class)), kLeastShare);
  EXPECT_LE(coverage(by_class, mean_score(by_class)), kMostShare);
  // Class counts are not random: without strata the interval is far too wide.
  EXPECT_GT(coverage(as_one, mean_score(as_one)), 0.995);
}

TEST(Intervals, SurviveACovarianceWithoutFullRank) {
  at::Generator random = at::detail::createCPUGenerator(7);
  const Gaussian set = gaussian(random, 0.2, 1.0);
  const FrechetReference reference(gaussian(random, 0.0, 1.1).statistics());
  const Estimate found =
      estimate(set.of(at::randn({kDim / 2, kDim}, random, at::kDouble)), reference);
  EXPECT_TRUE(std::isfinite(found.bias) && std::isfinite(found.interval.second));
}

TEST(StudentQuantile, KnownValues) {
  EXPECT_NEAR(student_quantile(0.975, 1e9), 1.959964, 1e-5);
  EXPECT_NEAR(student_quantile(0.975, 10), 2.228139, 1e-3);
  EXPECT_NEAR(student_quantile(0.975, 5), 2.570582, 3e-3);
  EXPECT_NEAR(student_quantile(0.5, 7), 0, 1e-9);
}

TEST(StandardError, GroupsOfOneAreTakenTogether) {
  const at::Tensor effects = at::tensor(std::vector<double>{1, 3, -2, 4, 0, 2}, at::kDouble);
  const double all = standard_error(effects).value;
  const std::vector<int64_t> singles{0, 1, 2, 3, 4, 5};
  EXPECT_DOUBLE_EQ(standard_error(effects, singles).value, all);
  const std::vector<int64_t> pairs{0, 0, 1, 1, 2, 2};
  EXPECT_DOUBLE_EQ(standard_error(effects, pairs).value, std::sqrt(4.0 + 36.0 + 4.0));
}

}  // namespace
}  // namespace lazymar
