#include "mar/decoding_plan.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace lazymar {
namespace {

SamplingOptions with(int64_t num_iter, double cfg = 3.25,
                     CfgSchedule schedule = CfgSchedule::kLinear) {
  SamplingOptions options;
  options.num_iter = num_iter;
  options.cfg = cfg;
  options.cfg_schedule = schedule;
  return options;
}

TEST(DecodingPlan, EveryRowIsPredictedExactlyOnce) {
  for (const int64_t length : {1, 4, 16, 64, 256}) {
    for (int64_t num_iter = 1; num_iter <= length + 70; ++num_iter) {
      std::vector<int> predicted(static_cast<size_t>(length), 0);
      int64_t masked = length;
      for (const DecodeStep& step : make_decoding_plan(length, with(num_iter))) {
        ASSERT_EQ(step.masked, masked);
        ASSERT_GE(step.predicted(), 0);
        for (int64_t row = step.first; row < step.masked; ++row) {
          ++predicted[static_cast<size_t>(row)];
        }
        masked = step.first;
      }
      ASSERT_EQ(predicted, std::vector<int>(static_cast<size_t>(length), 1))
          << length << " tokens in " << num_iter << " steps";
    }
  }
}

TEST(DecodingPlan, SixtyFourStepsStartWithSingleTokens) {
  // 13 single tokens, then 2, 3, 2, 2, 3; the last step takes 6.
  const auto plan = make_decoding_plan(256, with(64));
  for (size_t s = 0; s < 13; ++s) {
    EXPECT_EQ(plan[s].predicted(), 1) << s;
  }
  const std::vector<int64_t> next{2, 3, 2, 2, 3};
  for (size_t s = 0; s < next.size(); ++s) {
    EXPECT_EQ(plan[13 + s].predicted(), next[s]);
  }
  EXPECT_EQ(plan[63].predicted(), 6);
  EXPECT_EQ(plan[63].just_decoded(), 6);
  EXPECT_EQ(plan[0].just_decoded(), 0);
}

TEST(DecodingPlan, GuidanceFollowsTheSchedule) {
  const auto linear = make_decoding_plan(256, with(64));
  EXPECT_DOUBLE_EQ(linear[0].guidance, 1 + 2.25 * 1 / 256);
  // In the last step m' is still the clamped 1.
  EXPECT_DOUBLE_EQ(linear[63].guidance, 1 + 2.25 * 255 / 256);
  for (const DecodeStep& step : make_decoding_plan(256, with(64, 2.0, CfgSchedule::kConstant))) {
    EXPECT_EQ(step.guidance, 2.0);
  }
}

TEST(DecodingPlan, MoreStepsThanTokensLeaveStepsEmpty) {
  int64_t empty = 0;
  for (const DecodeStep& step : make_decoding_plan(4, with(10))) {
    empty += step.predicted() == 0 ? 1 : 0;
  }
  EXPECT_EQ(empty, 6);
}

TEST(DecodingPlan, NoStepsAreRefused) {
  testing::refused([] { make_decoding_plan(256, with(0)); });
}

TEST(DecodingPlan, SortsGroupsOnly) {
  const auto plan = make_decoding_plan(4, with(2));  // rows [2, 4), then [0, 2)
  ASSERT_EQ(plan[0].first, 2);
  at::Tensor orders = at::tensor({3, 1, 2, 0, 1, 0, 3, 2}, c10::kLong).view({2, 4});
  sort_within_steps(orders, plan);
  EXPECT_TRUE(at::equal(orders, at::tensor({1, 3, 0, 2, 0, 1, 2, 3}, c10::kLong).view({2, 4})));
}

}  // namespace
}  // namespace lazymar
