#include "lazymar/run/block_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace lazymar {
namespace {

/// Largest difference, in blocks, between two tenths of the set after any number of blocks.
double worst_imbalance(const BlockPlan& plan, const std::vector<int64_t>& order) {
  std::array<double, 10> images{};
  double worst = 0;
  const double tenth = static_cast<double>(plan.num_images()) / 10;
  for (const int64_t block : order) {
    const BlockIds ids = plan.ids(block);
    for (int64_t id = ids.first; id < ids.first + ids.count; ++id) {
      images[static_cast<size_t>(static_cast<double>(id) / tenth)] += 1;
    }
    const auto [least, most] = std::minmax_element(images.begin(), images.end());
    worst = std::max(worst, (*most - *least) / static_cast<double>(plan.block_size()));
  }
  return worst;
}

TEST(BlockPlan, OnlyTheLastBlockIsShorter) {
  const BlockPlan plan(10, 4);
  EXPECT_EQ(plan.blocks(), 3);
  EXPECT_EQ(plan.ids(1).first, 4);
  EXPECT_EQ(plan.ids(1).count, 4);
  EXPECT_EQ(plan.ids(2).count, 2);
}

TEST(BlockPlan, EveryBlockOnceForEveryRank) {
  for (const int64_t blocks : {1, 2, 3, 7, 10, 11, 64, 99, 1000, 6250}) {
    const BlockPlan plan(blocks * 8 - 3, 8);
    for (const auto& [rank, size] : {std::pair{0, 1}, {0, 3}, {2, 3}, {7, 8}}) {
      std::vector<int64_t> order = plan.visiting_order(rank, size);
      std::sort(order.begin(), order.end());
      std::vector<int64_t> all(static_cast<size_t>(blocks));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(order, all) << blocks << " blocks, rank " << rank << " of " << size;
    }
  }
}

TEST(BlockPlan, RanksStartWithStridesOfTheirOwn) {
  const BlockPlan plan(1000, 10);
  const std::vector<int64_t> all = plan.visiting_order();
  for (int64_t rank = 0; rank < 4; ++rank) {
    const std::vector<int64_t> order = plan.visiting_order(rank, 4);
    for (size_t i = 0; i < 25; ++i) {
      EXPECT_EQ(order[i], all[i * 4 + static_cast<size_t>(rank)]);
    }
  }
}

TEST(BlockPlan, APartOfARunIsBalanced) {
  for (const auto& [images, block] : {std::pair{50000, 128},
                                      {50000, 8},
                                      {10000, 32},
                                      {1000, 8},
                                      {999, 7},
                                      {860, 2},
                                      {100, 3},
                                      {40, 1}}) {
    const BlockPlan plan(images, block);
    EXPECT_LE(worst_imbalance(plan, plan.visiting_order()), 2.0) << images << "/" << block;
    std::vector<int64_t> sorted = plan.visiting_order();
    std::sort(sorted.begin(), sorted.end());
    if (plan.blocks() > 30) {
      EXPECT_GT(worst_imbalance(plan, sorted), 2.0) << "the control";
    }
  }
}

}  // namespace
}  // namespace lazymar
