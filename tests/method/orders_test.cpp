#include "method/orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "support/errors.h"

namespace lazymar {
namespace {

const std::vector<int64_t> kDrawn{5, 0, 3, 7, 1, 6, 4, 2};

TEST(Orders, RandomIsTheImagesOwn) {
  std::vector<int64_t> order = kDrawn;
  orders().at("random").arrange(order);
  EXPECT_EQ(order, kDrawn);
}

TEST(Orders, RasterDecodesFromTheTopLeft) {
  std::vector<int64_t> order = kDrawn;
  orders().at("raster").arrange(order);
  EXPECT_EQ(order, (std::vector<int64_t>{7, 6, 5, 4, 3, 2, 1, 0})) << "the last row comes first";
}

TEST(Orders, EachGivesAPermutation) {
  for (const Order& row : orders().rows()) {
    std::vector<int64_t> order = kDrawn;
    row.arrange(order);
    std::sort(order.begin(), order.end());
    std::vector<int64_t> all(kDrawn.size());
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(order, all) << row.name;
  }
}

TEST(Orders, StagesKeepTheImagesOrderWithin) {
  std::vector<int64_t> order = kDrawn;
  sort_by_stage(order, [](int64_t position) { return position % 2; });
  EXPECT_EQ(order, (std::vector<int64_t>{5, 3, 7, 1, 0, 6, 4, 2})) << "stage 0 in the last rows";
  order = kDrawn;
  sort_by_stage(order, [](int64_t) { return 3; });
  EXPECT_EQ(order, kDrawn) << "one stage changes nothing";
}

TEST(Orders, NamesAreTakenOnce) {
  testing::refused([] { orders().add({"raster", [](std::span<int64_t>) {}}); });
}

}  // namespace
}  // namespace lazymar
