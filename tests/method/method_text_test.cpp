#include "method/method_text.h"

#include <gtest/gtest.h>

#include "method/decoding_plan.h"
#include "method/head_schedule.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

TEST(MethodText, IsReadBack) {
  for (const char* text :
       {"cosine:64", "arccos:32", "stages:24,6,2", "stages:64/24,192/8", "list:1,1,2,12"}) {
    DecodingMethod method;
    read_tokens_per_step(text, method);
    EXPECT_EQ(tokens_per_step_text(method), text);
  }
  for (const char* text :
       {"100", "50:20", "50:5:cosine", "100/40", "50:20,20@stage3", "50:5:two-stage,8@40"}) {
    EXPECT_EQ(head_steps_text(read_head_steps(text)), text);
  }
  EXPECT_EQ(cache_text(read_cache("taylor1:interval=4")), "taylor1:interval=4");
}

TEST(MethodText, OtherTextIsRefused) {
  const auto tokens = [](const char* text) {
    return refused([&] {
      DecodingMethod method;
      read_tokens_per_step(text, method);
    });
  };
  EXPECT_TRUE(contains(tokens("sine:3"), "cosine:N"));
  EXPECT_TRUE(contains(tokens("cosine:0"), "cosine:N"));
  EXPECT_TRUE(contains(tokens("stages:3,0"), "stages:STEPS"));
  EXPECT_TRUE(contains(tokens("list:3,x"), "list:TOKENS"));
  const auto head = [](const char* text) { return refused([&] { read_head_steps(text); }); };
  EXPECT_TRUE(contains(head("0"), "1 to 1000"));
  EXPECT_TRUE(contains(head("50:20:cubic"), "two-stage"));
  EXPECT_TRUE(contains(head("50@stage0"), "@stageK"));
  EXPECT_TRUE(contains(refused([] {
                         HeadSegment segment;
                         read_detail("2:50", segment);
                       }),
                       "0 to 1"));
  EXPECT_TRUE(contains(refused([] { read_cache("recap:full"); }), "NAME=VALUE"));
}

std::vector<int64_t> head_steps(const std::string& text, int64_t last_timestep = 999,
                                const std::string& tokens = "cosine:64") {
  MarConfig config;
  config.sequence_length = 256;
  PlanOptions options;
  options.order = tokens.starts_with("stages") ? "checkerboard:3" : "random";
  options.tokens_per_step = tokens;
  options.head_steps = text;
  options.last_timestep = last_timestep;
  const DecodingPlan plan = full_plan(config, method_of({}, std::nullopt, options));
  std::vector<int64_t> steps;
  for (const DecodeStep& step : plan.steps) {
    steps.push_back(plan.head(step).steps());
  }
  return steps;
}

/// T = lower + int((63 - s) / 63 (upper - lower)), clipped to 950: as the released code, which
/// collapses duplicates.
TEST(HeadSteps, DisaAnneals) {
  const std::vector<int64_t> steps = head_steps("50:5", 950);
  EXPECT_EQ(steps[0], 48) << "50, of which 958, 979 and 999 become one";
  EXPECT_EQ(steps[63], 5);
  const std::vector<int64_t> whole = head_steps("50:5");
  for (int64_t s = 0; s < 64; ++s) {
    EXPECT_EQ(whole[static_cast<size_t>(s)],
              5 + static_cast<int64_t>(static_cast<double>(63 - s) / 63.0 * 45));
  }
  EXPECT_EQ(head_steps("50:5:two-stage")[31], 50);
  EXPECT_EQ(head_steps("50:5:two-stage")[32], 5);
  EXPECT_EQ(head_steps("50:5:cosine")[0], 50);
  EXPECT_EQ(head_steps("50:5:cosine")[63], 5);
  EXPECT_GT(head_steps("50:5:cosine")[10], whole[10]) << "flat at first";
}

TEST(HeadSteps, SegmentsBeginAtStages) {
  const std::vector<int64_t> steps = head_steps("50:20,30@stage3", 999, "stages:24,6,2");
  EXPECT_EQ(steps[0], 50);
  EXPECT_EQ(steps[29], 20) << "falls over the stages before";
  EXPECT_EQ(steps[30], 30);
  EXPECT_EQ(steps[31], 30);
  EXPECT_TRUE(contains(refused([] { head_steps("50,20@stage3"); }), "no stage 3"));
  EXPECT_TRUE(contains(refused([] { head_steps("50,20@64"); }), "the last decoding step is 63"));
  EXPECT_TRUE(contains(refused([] { head_steps("50@5"); }), "--head_steps: nothing says"));
  EXPECT_EQ(head_steps("50,20@63")[63], 20);
}

TEST(Detail, NoneIsNoDetail) {
  HeadSegment segment;
  read_detail("none", segment);
  EXPECT_EQ(segment, HeadSegment());
  EXPECT_TRUE(contains(refused([&] { read_detail("0.1", segment); }), "none, or SHARE:STEPS"));
}

TEST(HeadSteps, DetailTakesItsShareOfEachStep) {
  MarConfig config;
  config.sequence_length = 256;
  PlanOptions options;
  options.order = "checkerboard:3";
  options.tokens_per_step = "stages:24,6,2";
  options.head_steps = "50:20,20@stage3";
  options.detail = "0.1:50";
  const DecodingPlan plan = full_plan(config, method_of({}, std::nullopt, options));
  EXPECT_EQ(plan.steps[29].detail, 0) << "the last part of the head's steps alone";
  EXPECT_EQ(plan.steps[30].detail, 6) << "a tenth of 64, rounded";
  const std::vector<HeadPart> parts = head_parts(plan.steps[30]);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].tokens + parts[1].tokens, 64);
  EXPECT_EQ(plan.head_schedules[static_cast<size_t>(parts[1].schedule)].steps(), 50);
  EXPECT_EQ(head_parts(plan.steps[0]).size(), 1U);
}

TEST(HeadSteps, SpacingFillsTheRangeThatIsUsed) {
  const auto timesteps = [](const char* spacing, int64_t steps) {
    return make_head_schedule({.steps = steps, .last_timestep = 950, .spacing = spacing},
                              NoiseKeys::kTimestep)
        .timesteps;
  };
  EXPECT_EQ(timesteps("even", 3), (std::vector<int64_t>{0, 475, 950}));
  EXPECT_EQ(timesteps("quadratic", 3), (std::vector<int64_t>{0, 238, 950}));
  EXPECT_EQ(timesteps("quadratic", 15).size(), 15U);
  EXPECT_EQ(timesteps("mar", 50).size(), 48U) << "control: merged";
  EXPECT_TRUE(contains(refused([&] { timesteps("cubic", 3); }), "quadratic"));
}

}  // namespace
}  // namespace lazymar
