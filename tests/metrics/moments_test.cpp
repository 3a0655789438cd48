#include "metrics/moments.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/golden.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::covariance;
using testing::golden;
using testing::refused;
using testing::relative_error;

Moments moments_of(const at::Tensor& rows) {
  Moments moments;
  moments.add(rows);
  return moments;
}

TEST(Moments, AreMeanAndUnbiasedCovariance) {
  const at::Tensor rows = golden("a");
  const GaussianStatistics statistics = moments_of(rows).statistics();
  EXPECT_LT(relative_error(statistics.mu, rows.to(c10::kDouble).mean(0)), 1e-14);
  EXPECT_LT(relative_error(statistics.sigma, covariance(rows)), 1e-13);
  EXPECT_EQ(statistics.sigma.scalar_type(), c10::kDouble);
  const at::Tensor biased = covariance(rows) * (399.0 / 400.0);
  EXPECT_GT(relative_error(statistics.sigma, biased), 1e-3);
}

TEST(Moments, HowTheRowsAreCutDoesNotMatter) {
  const at::Tensor rows = golden("a");
  const GaussianStatistics whole = moments_of(rows).statistics();
  for (const int64_t size : {1, 7, 64}) {
    Moments parts;
    Moments others;
    for (const at::Tensor& part : rows.split(size)) {
      parts.add(part);
      Moments other = moments_of(part);
      other.merge(others);
      others = other;
    }
    others.merge({});
    for (const Moments& moments : {parts, others}) {
      EXPECT_EQ(moments.count, 400);
      EXPECT_LT(relative_error(moments.statistics().mu, whole.mu), 1e-13);
      EXPECT_LT(relative_error(moments.statistics().sigma, whole.sigma), 1e-12);
    }
  }
}

TEST(Moments, AFarMeanCostsNoDigits) {
  const at::Tensor rows = golden("a").to(c10::kDouble);
  const at::Tensor far = rows + 1e6;
  Moments moments;
  for (const at::Tensor& part : far.split(10)) {
    moments.add(part);
  }
  EXPECT_LT(relative_error(moments.statistics().sigma, covariance(far)), 1e-9);
  // The result of sums about zero for the same rows.
  const at::Tensor sum = far.sum(0);
  const at::Tensor naive = (far.t().mm(far) - sum.outer(sum) / 400) / 399;
  EXPECT_GT(relative_error(naive, covariance(far)), 1e-6);
}

TEST(Moments, ASingleRowHasNoCovariance) {
  Moments moments;
  moments.add(golden("a").slice(0, 0, 0));
  EXPECT_TRUE(contains(refused([&] { moments.statistics(); }), "found none"));
  moments.add(golden("a").slice(0, 0, 1));
  EXPECT_TRUE(contains(refused([&] { moments.statistics(); }), "found one"));
}

}  // namespace
}  // namespace lazymar
