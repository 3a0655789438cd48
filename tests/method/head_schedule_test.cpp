#include "method/head_schedule.h"

#include <gtest/gtest.h>

#include "core/network_config.h"
#include "method/decoding_plan.h"
#include "support/errors.h"

namespace lazymar {
namespace {

HeadSchedule with(int64_t steps, int64_t last = kTrainingSteps - 1,
                  NoiseKeys keys = NoiseKeys::kTimestep) {
  return make_head_schedule({.steps = steps, .last_timestep = last}, keys);
}

TEST(HeadSchedule, TimestepsAreSpreadAndRounded) {
  const HeadSchedule hundred = with(100);
  EXPECT_EQ(hundred.steps(), 100);
  EXPECT_EQ(hundred.timesteps[0], 0);
  EXPECT_EQ(hundred.timesteps[1], 10);    // 10.09
  EXPECT_EQ(hundred.timesteps[50], 505);  // 504.5454...
  EXPECT_EQ(hundred.timesteps[99], 999);
  const HeadSchedule all = with(1000);
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(all.timesteps[i], static_cast<int64_t>(i));
  }
  EXPECT_EQ(with(3).timesteps[1], 500);  // 499.5 rounds to the even neighbour
  EXPECT_EQ(with(1).timesteps, std::vector<int64_t>{0});
}

TEST(HeadSchedule, ClippedTimestepsAreMerged) {
  const HeadSchedule clipped = with(50, 950);  // 958.6, 979, 999 become 950
  EXPECT_EQ(clipped.steps(), 48);
  EXPECT_EQ(clipped.timesteps[47], 950);
  EXPECT_EQ(clipped.timesteps[46], with(50).timesteps[46]);
}

TEST(HeadSchedule, NumbersOutOfRangeAreRefused) {
  testing::refused([] { with(0); });
  testing::refused([] { with(1001); });
  testing::refused([] { with(100, 1000); });
  testing::refused([] { with(100, -1); });
}

TEST(HeadSchedule, NoiseIsKeyedByTimestep) {
  const HeadSchedule standard = with(100);
  EXPECT_EQ(standard.noise_keys, with(100, 999, NoiseKeys::kIndex).noise_keys)
      << "the default process: both keys are the same";
  const HeadSchedule fifty = with(50);
  EXPECT_EQ(fifty.timesteps[1], 20);  // 20.39; the default process has 20, too
  EXPECT_EQ(fifty.noise_keys[1], 2);
  EXPECT_EQ(fifty.timesteps[2], 41);  // the default process does not have 41
  EXPECT_EQ(fifty.noise_keys[2], 1041);
  EXPECT_EQ(fifty.noise_keys[49], 99);
  EXPECT_EQ(with(50, 999, NoiseKeys::kIndex).noise_keys[2], 2);
}

TEST(HeadSchedule, TodaysMethodsKeepTheirKeys) {
  MarConfig config;
  config.sequence_length = 16;
  const auto key = [&](std::vector<HeadSegment> head) {
    DecodingMethod method;
    method.head = std::move(head);
    return full_plan(config, method).head_schedules.front().noise_keys[2];
  };
  EXPECT_EQ(key({{.steps = 50}}), 2) << "DDPM throughout, the index";
  EXPECT_EQ(key({{.steps = 50, .last_timestep = 950}}), 1041);
  EXPECT_EQ(key({{.solver = "ddim", .steps = 50}}), 1041);
  EXPECT_EQ(key({{.steps = 50}, {.from_step = 3, .steps = 20}}), 1041);
}

}  // namespace
}  // namespace lazymar
