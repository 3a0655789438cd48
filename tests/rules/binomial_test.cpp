#include "rules/binomial.h"

#include <gtest/gtest.h>

namespace lazymar {
namespace {

constexpr double kDigits = 5e-5;

// Reference values: scipy.stats.binomtest(k, n).proportion_ci(method="exact") and .pvalue.
TEST(BinomialInterval, AgreesWithSciPy) {
  const auto [low, high] = binomial_interval(90, 100);
  EXPECT_NEAR(low, 0.8238, kDigits);
  EXPECT_NEAR(high, 0.9510, kDigits);
  const auto [less, more] = binomial_interval(7, 20, 0.99);
  EXPECT_NEAR(less, 0.11388, kDigits);
  EXPECT_NEAR(more, 0.65657, kDigits);
}

TEST(BinomialInterval, ReachesTheEndsWhereAllOrNoneSucceed) {
  EXPECT_EQ(binomial_interval(0, 10).first, 0);
  EXPECT_NEAR(binomial_interval(0, 10).second, 0.3085, kDigits);  // 1 - 0.025^(1/10)
  EXPECT_EQ(binomial_interval(10, 10).second, 1);
  EXPECT_NEAR(binomial_interval(10, 10).first, 0.6915, kDigits);
}

TEST(BinomialInterval, HoldsForManyImages) {
  const auto [low, high] = binomial_interval(49'000, 50'000);
  EXPECT_NEAR(low, 0.97874, kDigits);
  EXPECT_NEAR(high, 0.98121, kDigits);
}

TEST(McNemar, IsTheSignTestOfPairsThatDiffer) {
  EXPECT_NEAR(mcnemar_probability(0, 10), 2.0 / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_probability(10, 0), 2.0 / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_probability(2, 8), 2 * 56.0 / 1024, 1e-12);
  EXPECT_EQ(mcnemar_probability(5, 5), 1);
  EXPECT_EQ(mcnemar_probability(0, 0), 1);
}

}  // namespace
}  // namespace lazymar
