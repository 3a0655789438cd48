// Differences of scores, paired by image.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "score/scores.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;

/// A run's FID and the effects of its images.
RunScores scored(const std::string& prefix, const std::vector<double>& effects, double fid) {
  RunScores run;
  run.source = prefix;
  run.images = static_cast<int64_t>(effects.size());
  run.fid.emplace();
  run.fid->value = fid;
  run.fid->effects.effects = at::tensor(effects, c10::kDouble);
  for (size_t i = 0; i < effects.size(); ++i) {
    run.names.push_back(concat(prefix, i, ".png"));
  }
  return run;
}

TEST(ScoreDifference, IsPairedByName) {
  const RunScores one = scored("", {1, -1, 2, -2, 0.5, -0.5}, 10);
  const RunDifference found =
      score_difference(one, scored("", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5));
  EXPECT_EQ(found.pairs, 6);
  EXPECT_DOUBLE_EQ(found.fid->value, 0.5);
  EXPECT_FALSE(found.fid->inside_noise);
  EXPECT_PRED2(contains, found.sentences.front(),
               "its FID minus the baseline's: +0.500 (95 % interval: +0.4");
  EXPECT_PRED2(contains, found.sentences.front(), "outside the noise, for the worse");
  const RunDifference back =
      score_difference(scored("", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5), one);
  EXPECT_PRED2(contains, back.sentences.front(),
               "its FID minus the baseline's: -0.500 (95 % interval: -0.5");
  EXPECT_PRED2(contains, back.sentences.front(), "outside the noise, for the better");
  const RunDifference apart =
      score_difference(one, scored("x", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5));
  EXPECT_EQ(apart.pairs, 0);
  EXPECT_TRUE(apart.fid->inside_noise);
  EXPECT_PRED2(contains, apart.sentences.front(), "inside the noise");
  // A higher Inception Score is better.
  const auto inception = [](double score) {
    RunScores run = scored("", {1, -1, 2, -2, 0.5, -0.5}, 10);
    run.inception_score = run.fid;
    run.inception_score->value = score;
    return run;
  };
  EXPECT_PRED2(contains, score_difference(inception(3), inception(3.5)).sentences.back(),
               "outside the noise, for the better");
}

}  // namespace
}  // namespace lazymar
