#include "run/timings.h"

#include <gtest/gtest.h>

#include "support/shard_records.h"

namespace lazymar {
namespace {

using testing::some_shards;

TEST(Timings, MedianOfFullShardsAfterTheFirst) {
  std::vector<ShardRecord> shards = some_shards();
  EXPECT_DOUBLE_EQ(seconds_per_image(shards), 1.5);
  EXPECT_EQ(shard_latencies(measured_shards(shards)), (std::vector<double>{1.0, 1.5, 2.0}));
  shards.pop_back();
  shards.pop_back();
  EXPECT_DOUBLE_EQ(seconds_per_image(shards), 1.5);
  shards[1].micro_batch = 2;
  EXPECT_DOUBLE_EQ(seconds_per_image(shards), 1.0);
  EXPECT_FALSE(measured_shards(shards).warm_up);
  shards.resize(1);
  EXPECT_DOUBLE_EQ(seconds_per_image(shards), 10.0);
  EXPECT_TRUE(measured_shards(shards).warm_up);
  shards.clear();
  EXPECT_DOUBLE_EQ(seconds_per_image(shards), 0.0);
}

TEST(Timings, QuantilesLieBetweenTheirNeighbours) {
  const std::vector<double> values{1, 2, 4};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
}

TEST(Timings, StagesAndStepsAreMeansOverImages) {
  std::vector<ShardRecord> shards = some_shards();
  EXPECT_EQ(stage_times(shards)[2].name, "head");
  EXPECT_DOUBLE_EQ(stage_times(shards)[2].seconds, 0.75);
  EXPECT_DOUBLE_EQ(stage_times(shards)[4].seconds, 0.25);
  // Three shards of four slots, 18 seconds in total, are measured.
  EXPECT_EQ(step_costs(shards), (std::vector<StepCost>{{0.75, 10}, {0.375, 2}}));
  shards[2].steps.clear();
  EXPECT_EQ(step_costs(shards)[0].seconds, 7.0 / 8);
  for (ShardRecord& without : shards) {
    without.steps.clear();
  }
  EXPECT_TRUE(step_costs(shards).empty());
  EXPECT_EQ(work_per_image(shards).flops, 100);
  EXPECT_EQ(work_per_image({}).flops, 0);
}

TEST(Timings, PausesBetweenLaunchesDoNotCount) {
  std::vector<ShardRecord> shards = some_shards();
  EXPECT_DOUBLE_EQ(active_seconds(shards), 163);
  for (size_t i = 3; i < 5; ++i) {
    shards[i].launch = "two";
    shards[i].finished += 1000;
  }
  EXPECT_DOUBLE_EQ(active_seconds(shards), 55 + 108);
}

}  // namespace
}  // namespace lazymar
