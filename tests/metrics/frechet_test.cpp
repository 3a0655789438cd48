#include "metrics/frechet.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "metrics/golden.h"
#include "metrics/moments.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::golden;
using testing::golden_number;
using testing::refused;

GaussianStatistics statistics_of(const at::Tensor& rows) {
  Moments moments;
  moments.add(rows);
  return moments.statistics();
}

/// Independent normal features of these means and variances.
GaussianStatistics diagonal(const std::vector<double>& mean, const std::vector<double>& variance) {
  return {at::tensor(mean), at::diag(at::tensor(variance))};
}

/// torch-fidelity's method, with complex eigenvalues: the slow twin.
double by_general_eigenvalues(const GaussianStatistics& a, const GaussianStatistics& b) {
  const at::Tensor roots = at::linalg_eigvals(a.sigma.mm(b.sigma)).sqrt();
  return ((a.mu - b.mu).square().sum() + a.sigma.trace() + b.sigma.trace() -
          2 * at::real(roots).sum())
      .item<double>();
}

TEST(FrechetDistance, OfDiagonalGaussiansIsASum) {
  const auto a = diagonal({1, -2, 0}, {1, 4, 0.25});
  const auto b = diagonal({0, 1, 0}, {9, 1, 0.25});
  // (mean - mean)^2 + (deviation - deviation)^2, feature by feature.
  const FrechetDistance result = frechet_distance(a, b);
  EXPECT_NEAR(result.distance, (1 + 4) + (9 + 1) + 0, 1e-12);
  EXPECT_NEAR(result.mean_term, 10, 1e-12);
  EXPECT_NEAR(result.covariance_term, 5, 1e-12);
  EXPECT_FALSE(result.rank_deficient());
  EXPECT_NEAR(frechet_distance(a, a).distance, 0, 1e-12);
}

TEST(FrechetDistance, OfRotatedGaussiansIsTheSame) {
  const auto a = diagonal({1, -2, 0}, {1, 4, 0.25});
  const auto b = diagonal({0, 1, 0}, {9, 1, 0.25});
  const at::Tensor mixing = at::tensor({1.0, 2.0, -1.0, 0.5, 0.3, 2.0, -2.0, 0.1, 0.7});
  const at::Tensor rotation = std::get<0>(at::linalg_qr(mixing.view({3, 3})));
  const auto rotated = [&](const GaussianStatistics& s) {
    return GaussianStatistics{rotation.mv(s.mu), rotation.mm(s.sigma).mm(rotation.t())};
  };
  EXPECT_NEAR(frechet_distance(rotated(a), rotated(b)).distance, 15, 1e-11);
}

TEST(FrechetDistance, IsTorchFidelitys) {
  const auto a = statistics_of(golden("a"));
  const auto b = statistics_of(golden("b"));
  EXPECT_NEAR(frechet_distance(a, b).distance, golden_number("fid"), 1e-9);
  EXPECT_NEAR(frechet_distance(b, a).distance, golden_number("fid"), 1e-9);
  EXPECT_NEAR(frechet_distance(a, b).distance, golden_number("fid_float32"), 1e-5);
  EXPECT_NEAR(by_general_eigenvalues(a, b), golden_number("fid"), 1e-9);
  // Controls: covariances divided by n, and no square root of their product.
  const at::Tensor biased = a.sigma * (399.0 / 400.0);
  EXPECT_GT(std::abs(frechet_distance({a.mu, biased}, b).distance - golden_number("fid")), 1e-5);
  EXPECT_GT(std::abs((a.sigma - b.sigma).square().sum().item<double>() +
                     (a.mu - b.mu).square().sum().item<double>() - golden_number("fid")),
            1e-2);
}

TEST(FrechetDistance, OfFewerImagesThanFeaturesIsTorchFidelitysAndSaysSo) {
  const auto few = statistics_of(golden("a").slice(0, 0, 16));
  const auto b = statistics_of(golden("b"));
  for (const FrechetDistance& result : {frechet_distance(few, b), frechet_distance(b, few)}) {
    // Its zeros become roots of about 1e-16: 1e-8 each.
    EXPECT_NEAR(result.distance, golden_number("fid_few"), 1e-6);
    EXPECT_EQ(result.dim, 24);
    EXPECT_TRUE(result.rank_deficient());
  }
  EXPECT_EQ(frechet_distance(few, b).rank, 15);
  EXPECT_EQ(frechet_distance(few, b).rank_reference, 24);
  EXPECT_EQ(frechet_distance(b, few).rank_reference, 15);
}

TEST(FrechetDistance, OfWideSpectraIsTheGeneralOne) {
  // Variances over eight orders of magnitude, as in real features.
  const int64_t dim = 96;
  const at::Tensor scale = at::logspace(-4, 0, dim, 10, c10::kDouble);
  const auto wide = [&](const at::Tensor& seed) {
    const at::Tensor rows = at::sin(at::arange(500 * dim, c10::kDouble).square() * seed);
    return statistics_of(rows.view({500, dim}) * scale);
  };
  const auto a = wide(at::tensor(0.7123));
  const auto b = wide(at::tensor(0.3317));
  const FrechetDistance result = frechet_distance(a, b);
  EXPECT_EQ(result.rank, dim);
  EXPECT_FALSE(result.rank_deficient());
  EXPECT_NEAR(result.distance, by_general_eigenvalues(a, b), 1e-7);
}

TEST(FrechetDistance, OfNoVarianceIsThatOfTheMeans) {
  const auto point = diagonal({1, 2}, {0, 0});
  const auto other = diagonal({0, 0}, {1, 4});
  EXPECT_NEAR(frechet_distance(point, other).distance, 5 + 5, 1e-12);
  EXPECT_NEAR(frechet_distance(other, point).distance, 5 + 5, 1e-12);
  EXPECT_EQ(frechet_distance(point, other).rank, 0);
}

TEST(FrechetDistance, RefusesWhatDoesNotFit) {
  const auto two = diagonal({0, 0}, {1, 1});
  const auto three = diagonal({0, 0, 0}, {1, 1, 1});
  EXPECT_TRUE(contains(refused([&] { frechet_distance(two, three); }), "2 dimensions"));
  const auto bad = diagonal({0, std::numeric_limits<double>::quiet_NaN()}, {1, 1});
  EXPECT_TRUE(contains(refused([&] { frechet_distance(bad, two); }), "NaN or infinite"));
  EXPECT_TRUE(contains(refused([&] { frechet_distance(two, bad); }), "NaN or infinite"));
  EXPECT_TRUE(contains(refused([&] {
                         frechet_distance({two.mu, three.sigma}, two);
                       }),
                       "do not match"));
}

}  // namespace
}  // namespace lazymar
