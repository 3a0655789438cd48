// Inception Score, KID, precision and recall, and the draws behind them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "metrics/golden.h"
#include "metrics/inception_score.h"
#include "metrics/kid.h"
#include "metrics/numpy_random.h"
#include "metrics/precision_recall.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::golden;
using testing::golden_number;
using testing::refused;

void expect_golden(const std::vector<int64_t>& drawn, const std::string& name) {
  EXPECT_TRUE(at::tensor(drawn).to(c10::kDouble).equal(golden(name))) << name;
}

TEST(NumpyRandom, DrawsWhatNumpyDraws) {
  NumpyRandom random(2020);
  expect_golden(random.permutation(1000), "permutation_1000");
  expect_golden(random.choice(70000, 5), "choice_70000_by_5");
  expect_golden(random.permutation(1), "permutation_1");
  expect_golden(random.permutation(17), "permutation_17");
  EXPECT_TRUE(random.permutation(0).empty());
  const at::Tensor other = at::tensor(NumpyRandom(2021).permutation(1000)).to(c10::kDouble);
  EXPECT_FALSE(other.equal(golden("permutation_1000")));
  refused([&] { random.choice(3, 4); }, ErrorKind::kInternal);
}

TEST(InceptionScore, IsTorchFidelitys) {
  const MeanDeviation score = inception_score(golden("logits"));
  EXPECT_NEAR(score.mean, golden_number("isc", 0), 1e-10);
  EXPECT_NEAR(score.deviation, golden_number("isc", 1), 1e-10);
  for (const InceptionScoreOptions& other :
       {InceptionScoreOptions{.shuffle = false}, {.seed = 2021}, {.splits = 9}}) {
    EXPECT_GT(std::abs(inception_score(golden("logits"), other).mean - score.mean), 1e-3);
  }
}

TEST(InceptionScore, OfCertainAndBalancedClassesIsTheirNumber) {
  const at::Tensor certain = at::eye(5, c10::kFloat).repeat({4, 1}) * 200;
  EXPECT_NEAR(inception_score(certain, {.splits = 1}).mean, 5, 1e-12);
  EXPECT_NEAR(inception_score(certain, {.splits = 4, .shuffle = false}).mean, 5, 1e-12);
  EXPECT_NEAR(inception_score(certain, {.splits = 4, .shuffle = false}).deviation, 0, 1e-12);
  const at::Tensor alike = at::ones({20, 5}, c10::kFloat);
  EXPECT_NEAR(inception_score(alike).mean, 1, 1e-12);
  EXPECT_TRUE(contains(refused([&] { inception_score(alike.slice(0, 0, 9)); }), "found 9"));
}

TEST(Kid, IsTorchFidelitys) {
  const KidOptions options{.subsets = 20, .subset_size = 100};
  const MeanDeviation kid = kernel_inception_distance(golden("a"), golden("b"), options);
  EXPECT_NEAR(kid.mean, golden_number("kid", 0), 1e-6);
  EXPECT_NEAR(kid.deviation, golden_number("kid", 1), 1e-6);
  // Controls: the sets swapped (other draws), another seed, another degree.
  EXPECT_GT(std::abs(kernel_inception_distance(golden("b"), golden("a"), options).mean - kid.mean),
            1e-5);
  for (const KidOptions& other : {KidOptions{.subsets = 20, .subset_size = 100, .seed = 1},
                                  {.subsets = 20, .subset_size = 100, .degree = 2}}) {
    EXPECT_GT(std::abs(kernel_inception_distance(golden("a"), golden("b"), other).mean - kid.mean),
              1e-5);
  }
}

TEST(Kid, OfPointsIsTheKernelsGap) {
  // All x equal and all y equal: k(x, x) + k(y, y) - 2 k(x, y).
  const at::Tensor x = at::tensor({1.0F, 0.0F}).repeat({4, 1});
  const at::Tensor y = at::tensor({0.0F, 2.0F}).repeat({4, 1});
  const MeanDeviation kid = kernel_inception_distance(x, y, {.subsets = 3, .subset_size = 4});
  EXPECT_NEAR(kid.mean, std::pow(1.5, 3) + std::pow(3, 3) - 2, 1e-12);
  EXPECT_NEAR(kid.deviation, 0, 1e-12);
  EXPECT_TRUE(contains(refused([&] { kernel_inception_distance(x, y); }), "found 4"));
}

TEST(PrecisionRecall, IsTorchFidelitys) {
  const PrecisionRecall result = precision_recall(golden("a"), golden("b"));
  EXPECT_NEAR(result.precision, golden_number("prc", 0), 1e-6);
  EXPECT_NEAR(result.recall, golden_number("prc", 1), 1e-6);
  EXPECT_NEAR(result.f_score, golden_number("prc", 2), 1e-6);
  const PrecisionRecall swapped = precision_recall(golden("b"), golden("a"));
  EXPECT_NEAR(swapped.precision, result.recall, 1e-12);
  EXPECT_NEAR(swapped.recall, result.precision, 1e-12);
  EXPECT_GT(std::abs(swapped.precision - result.precision), 1e-2);
  EXPECT_GT(std::abs(precision_recall(golden("a"), golden("b"), 2).precision - result.precision),
            1e-2);
}

TEST(PrecisionRecall, CountsPointsWithinKnownBalls) {
  // On a line: generated at 0, 1, 2, 3; real at 0.4, 1.4, 2.4 and far away.
  const at::Tensor generated = at::tensor({0.0F, 1.0F, 2.0F, 3.0F}).view({-1, 1});
  const at::Tensor real = at::tensor({0.4F, 1.4F, 2.4F, 50.0F}).view({-1, 1});
  const PrecisionRecall result = precision_recall(generated, real, /*neighborhood=*/1);
  EXPECT_DOUBLE_EQ(result.precision, 1);
  EXPECT_DOUBLE_EQ(result.recall, 0.75);
  EXPECT_DOUBLE_EQ(result.f_score, 2 * 0.75 / 1.75);
  EXPECT_TRUE(contains(refused([&] { precision_recall(generated, real, 4); }), "more than 4"));
}

TEST(PrecisionRecall, BlocksDoNotMatter) {
  // More rows than a block has, and the definition applied to all distances.
  const at::Tensor place = at::arange(2100 * 2, c10::kFloat).view({2100, 2});
  const at::Tensor generated = at::sin(place.square() * 0.01);
  const at::Tensor real = at::sin(place.square() * 0.013) * 1.1;
  const auto ball = [](const at::Tensor& set) {
    return std::get<0>(at::cdist(set, set).kthvalue(4, 1));
  };
  const at::Tensor distances = at::cdist(generated, real);
  const double precision = (distances <= ball(real)).any(1).to(c10::kDouble).mean().item<double>();
  const double recall =
      (distances.t() <= ball(generated)).any(1).to(c10::kDouble).mean().item<double>();
  const PrecisionRecall result = precision_recall(generated, real);
  // A pair at the edge of a ball may be inside or outside.
  EXPECT_NEAR(result.precision, precision, 2.1 / 2100);
  EXPECT_NEAR(result.recall, recall, 2.1 / 2100);
  EXPECT_LT(result.precision, 0.999);
}

}  // namespace
}  // namespace lazymar
