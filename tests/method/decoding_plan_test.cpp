#include "method/decoding_plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/errors.h"

namespace lazymar {
namespace {

std::vector<DecodeStep> plan_of(int64_t length, const DecodingMethod& method) {
  MarConfig config;
  config.sequence_length = length;
  return full_plan(config, method).steps;
}

DecodingMethod with(int64_t num_iter, double cfg = 3.25,
                    CfgSchedule schedule = CfgSchedule::kLinear) {
  DecodingMethod method;
  method.cosine_steps = num_iter;
  method.cfg = cfg;
  method.cfg_schedule = schedule;
  return method;
}

TEST(DecodingPlan, EveryRowIsPredictedExactlyOnce) {
  for (const int64_t length : {1, 4, 16, 64, 256}) {
    for (int64_t num_iter = 1; num_iter <= length + 70; ++num_iter) {
      std::vector<int> predicted(static_cast<size_t>(length), 0);
      int64_t masked = length;
      for (const DecodeStep& step : plan_of(length, with(num_iter))) {
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
  const auto plan = plan_of(256, with(64));
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
  const auto linear = plan_of(256, with(64));
  EXPECT_DOUBLE_EQ(linear[0].guidance, 1 + 2.25 * 1 / 256);
  // In the last step, m' is still the clamped 1.
  EXPECT_DOUBLE_EQ(linear[63].guidance, 1 + 2.25 * 255 / 256);
  for (const DecodeStep& step : plan_of(256, with(64, 2.0, CfgSchedule::kConstant))) {
    EXPECT_EQ(step.guidance, 2.0);
  }
}

TEST(DecodingPlan, MoreStepsThanTokensLeaveStepsEmpty) {
  int64_t empty = 0;
  for (const DecodeStep& step : plan_of(4, with(10))) {
    empty += step.predicted() == 0 ? 1 : 0;
  }
  EXPECT_EQ(empty, 6);
}

TEST(DecodingPlan, NoStepsAreRefused) {
  testing::refused([] { plan_of(256, with(0)); });
}

TEST(DecodingPlan, SortsGroupsOnly) {
  const auto plan = plan_of(4, with(2));  // rows [2, 4), then [0, 2)
  ASSERT_EQ(plan[0].first, 2);
  std::vector<int64_t> order{3, 1, 2, 0};
  sort_within_steps(order, plan);
  EXPECT_EQ(order, (std::vector<int64_t>{1, 3, 0, 2}));
}

DecodingMethod staged(const std::vector<Stage>& stages) {
  DecodingMethod method;
  method.stages = stages;
  return method;
}

TEST(DecodingPlan, StagesTakeTheirTokensInEqualShares) {
  const auto plan = plan_of(256, staged({{64, 24}, {64, 6}, {128, 2}}));
  ASSERT_EQ(plan.size(), 32U);
  EXPECT_EQ(plan[0].predicted(), 2);
  EXPECT_EQ(plan[1].predicted(), 3);
  EXPECT_EQ(plan[24].masked, 192);
  EXPECT_EQ(plan[30].masked, 128);
  EXPECT_EQ(plan[30].predicted(), 64);
  EXPECT_EQ(plan[31].first, 0);
  EXPECT_EQ(plan[31].just_decoded(), 64);
  for (size_t s = 1; s < plan.size(); ++s) {
    EXPECT_EQ(plan[s].masked, plan[s - 1].first);
    EXPECT_EQ(plan[s].masked_before, plan[s - 1].masked);
  }
}

TEST(DecodingPlan, StagesMustCoverTheImage) {
  EXPECT_TRUE(testing::contains(testing::refused([] {
                                  plan_of(256, staged({{64, 8}, {64, 8}}));
                                }),
                                "256"));
  testing::refused([] { plan_of(16, staged({{16, 0}})); });
  testing::refused([] { plan_of(16, staged({{32, 4}})); });
  testing::refused([] { plan_of(16, staged({{-16, 4}, {32, 4}})); });
}

TEST(DecodingPlan, HeadSegmentsBeginWhereTheySay) {
  DecodingMethod method = with(10);
  method.head = {{.steps = 100},
                 {.from_step = 4, .steps = 50, .last_timestep = 950},
                 {.from_step = 8, .steps = 100}};
  MarConfig config;
  config.sequence_length = 64;
  const DecodingPlan plan = full_plan(config, method);
  ASSERT_EQ(plan.head_schedules.size(), 2U) << "each once";
  for (const DecodeStep& step : plan.steps) {
    const bool middle = step.index >= 4 && step.index < 8;
    EXPECT_EQ(plan.head(step).steps(), middle ? 48 : 100) << step.index;
  }
  method.head.front().from_step = 1;
  testing::refused([&] { full_plan(config, method); });
  method.head = {{}, {.from_step = 5}, {.from_step = 5, .steps = 7}};
  testing::refused([&] { full_plan(config, method); });
  method.head.clear();
  testing::refused([&] { full_plan(config, method); });
}

TEST(DecodingPlan, UnknownOrdersAreRefusedWithTheKnownOnes) {
  DecodingMethod method = with(4);
  method.order = "spiral";
  const std::string message = testing::refused([&] { plan_of(16, method); });
  EXPECT_TRUE(testing::contains(message, "spiral")) << message;
  EXPECT_TRUE(testing::contains(message, "random, raster")) << message;
}

TEST(DecodingPlan, KindsAreNamedByTheirLetters) {
  std::vector<DecodeStep> steps(3);
  steps[1].kind = StepKind::kPartial;
  EXPECT_EQ(step_kinds(steps), "FLF");
}

}  // namespace
}  // namespace lazymar
