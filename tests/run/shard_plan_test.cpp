#include "run/shard_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace lazymar {
namespace {

/// Largest difference, in shards, between two tenths of the set after any number of shards.
double worst_imbalance(const ShardPlan& plan, const std::vector<int64_t>& order) {
  std::array<double, 10> images{};
  double worst = 0;
  const double tenth = static_cast<double>(plan.num_images()) / 10;
  for (const int64_t shard : order) {
    const ShardIds ids = plan.ids(shard);
    for (int64_t id = ids.first; id < ids.first + ids.count; ++id) {
      images[static_cast<size_t>(static_cast<double>(id) / tenth)] += 1;
    }
    const auto [least, most] = std::minmax_element(images.begin(), images.end());
    worst = std::max(worst, (*most - *least) / static_cast<double>(plan.shard_size()));
  }
  return worst;
}

TEST(ShardPlan, OnlyTheLastShardIsShorter) {
  const ShardPlan plan(10, 4);
  EXPECT_EQ(plan.shards(), 3);
  EXPECT_EQ(plan.ids(1).first, 4);
  EXPECT_EQ(plan.ids(1).count, 4);
  EXPECT_EQ(plan.ids(2).count, 2);
}

TEST(ShardPlan, EveryShardOnceForEveryRank) {
  for (const int64_t shards : {1, 2, 3, 7, 10, 11, 64, 99, 1000, 6250}) {
    const ShardPlan plan(shards * 8 - 3, 8);
    for (const auto& [rank, size] : {std::pair{0, 1}, {0, 3}, {2, 3}, {7, 8}}) {
      std::vector<int64_t> order = plan.visiting_order(rank, size);
      std::sort(order.begin(), order.end());
      std::vector<int64_t> all(static_cast<size_t>(shards));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(order, all) << shards << " shards, rank " << rank << " of " << size;
    }
  }
}

TEST(ShardPlan, RanksStartWithStridesOfTheirOwn) {
  const ShardPlan plan(1000, 10);
  const std::vector<int64_t> all = plan.visiting_order();
  for (int64_t rank = 0; rank < 4; ++rank) {
    const std::vector<int64_t> order = plan.visiting_order(rank, 4);
    for (size_t i = 0; i < 25; ++i) {
      EXPECT_EQ(order[i], all[i * 4 + static_cast<size_t>(rank)]);
    }
  }
}

TEST(ShardPlan, APartOfARunIsBalanced) {
  for (const auto& [images, shard] : {std::pair{50000, 128},
                                      {50000, 8},
                                      {10000, 32},
                                      {1000, 8},
                                      {999, 7},
                                      {860, 2},
                                      {100, 3},
                                      {40, 1}}) {
    const ShardPlan plan(images, shard);
    EXPECT_LE(worst_imbalance(plan, plan.visiting_order()), 2.0) << images << "/" << shard;
    std::vector<int64_t> sorted = plan.visiting_order();
    std::sort(sorted.begin(), sorted.end());
    if (plan.shards() > 30) {
      EXPECT_GT(worst_imbalance(plan, sorted), 2.0) << "the control";
    }
  }
}

}  // namespace
}  // namespace lazymar
