#include "lazymar/run/timings.h"

#include <gtest/gtest.h>

#include "support/block_records.h"

namespace lazymar {
namespace {

using testing::some_blocks;

TEST(Timings, MedianOfFullBlocksAfterTheFirst) {
  std::vector<BlockRecord> blocks = some_blocks();
  EXPECT_DOUBLE_EQ(seconds_per_image(blocks), 1.5);
  EXPECT_EQ(block_latencies(measured_blocks(blocks)), (std::vector<double>{1.0, 1.5, 2.0}));
  blocks.pop_back();
  blocks.pop_back();
  EXPECT_DOUBLE_EQ(seconds_per_image(blocks), 1.5);
  blocks[1].micro_batch = 2;
  EXPECT_DOUBLE_EQ(seconds_per_image(blocks), 1.0);
  EXPECT_FALSE(measured_blocks(blocks).warm_up);
  blocks.resize(1);
  EXPECT_DOUBLE_EQ(seconds_per_image(blocks), 10.0);
  EXPECT_TRUE(measured_blocks(blocks).warm_up);
  blocks.clear();
  EXPECT_DOUBLE_EQ(seconds_per_image(blocks), 0.0);
}

TEST(Timings, QuantilesLieBetweenTheirNeighbours) {
  const std::vector<double> values{1, 2, 4};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
}

TEST(Timings, StagesAndStepsAreMeansOverImages) {
  std::vector<BlockRecord> blocks = some_blocks();
  EXPECT_EQ(stage_times(blocks)[2].name, "head");
  EXPECT_DOUBLE_EQ(stage_times(blocks)[2].seconds, 0.75);
  EXPECT_DOUBLE_EQ(stage_times(blocks)[4].seconds, 0.25);
  // Three blocks of four slots and of 18 seconds together are measured.
  EXPECT_EQ(step_costs(blocks), (std::vector<StepCost>{{0.75, 10}, {0.375, 2}}));
  blocks[2].steps.clear();
  EXPECT_EQ(step_costs(blocks)[0].seconds, 7.0 / 8);
  for (BlockRecord& without : blocks) {
    without.steps.clear();
  }
  EXPECT_TRUE(step_costs(blocks).empty());
  EXPECT_EQ(work_per_image(blocks).flops, 100);
  EXPECT_EQ(work_per_image({}).flops, 0);
}

TEST(Timings, PausesBetweenLaunchesDoNotCount) {
  std::vector<BlockRecord> blocks = some_blocks();
  EXPECT_DOUBLE_EQ(active_seconds(blocks), 163);
  for (size_t i = 3; i < 5; ++i) {
    blocks[i].launch = "two";
    blocks[i].finished += 1000;
  }
  EXPECT_DOUBLE_EQ(active_seconds(blocks), 55 + 108);
}

}  // namespace
}  // namespace lazymar
