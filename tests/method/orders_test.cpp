#include "method/orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "support/errors.h"
#include "support/halton_cells.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

const std::vector<int64_t> kDrawn{5, 0, 3, 7, 1, 6, 4, 2, 8};

/// What an order makes of a permutation: the raster positions as they are decoded.
std::vector<int64_t> decoded(const std::string& text, std::vector<int64_t> drawn) {
  make_order(text, static_cast<int64_t>(drawn.size())).arrange(drawn);
  std::reverse(drawn.begin(), drawn.end());
  return drawn;
}

/// Some permutation of 0 .. length - 1.
std::vector<int64_t> shuffled(int64_t length, int64_t step) {
  std::vector<int64_t> order(static_cast<size_t>(length));
  for (int64_t i = 0; i < length; ++i) {
    order[static_cast<size_t>(i)] = (i * step + 3) % length;
  }
  return order;
}

TEST(Orders, RandomIsTheImagesOwn) {
  std::vector<int64_t> order = kDrawn;
  make_order("random", 9).arrange(order);
  EXPECT_EQ(order, kDrawn);
}

TEST(Orders, RasterDecodesFromTheTopLeft) {
  EXPECT_EQ(decoded("raster", kDrawn), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Orders, EachGivesAPermutation) {
  for (const std::string text : {"random", "raster", "halton", "halton:rolled", "checkerboard:1",
                                 "checkerboard:3", "checkerboard:4", "subsample"}) {
    for (const int64_t length : {4, 16, 64, 256}) {
      std::vector<int64_t> order = decoded(text, shuffled(length, 5));
      std::sort(order.begin(), order.end());
      std::vector<int64_t> all(static_cast<size_t>(length));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(order, all) << text << " of " << length;
    }
  }
}

TEST(Orders, StagesCoverEveryTokenOnce) {
  EXPECT_EQ(make_order("checkerboard:3", 256).stages, (std::vector<int64_t>{64, 64, 128}));
  EXPECT_EQ(make_order("checkerboard:4", 256).stages, (std::vector<int64_t>{32, 32, 64, 128}));
  EXPECT_EQ(make_order("checkerboard:3", 9).stages, (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(make_order("halton", 256).stages, std::vector<int64_t>{256});
  for (const int64_t side : {1, 2, 3, 7, 16, 20}) {
    for (const char* order : {"checkerboard:1", "checkerboard:2", "checkerboard:5"}) {
      const std::vector<int64_t> stages = make_order(order, side * side).stages;
      EXPECT_EQ(std::accumulate(stages.begin(), stages.end(), int64_t{0}), side * side);
    }
  }
}

TEST(Orders, CheckerboardGoesFromCoarseToFine) {
  const std::vector<int64_t> order = decoded("checkerboard:3", shuffled(256, 7));
  for (size_t i = 0; i < 256; ++i) {
    const int64_t diagonal = order[i] / 16 + order[i] % 16;
    EXPECT_EQ(diagonal % 4, i < 64 ? 0 : i < 128 ? 2 : diagonal % 2 == 1 ? diagonal % 4 : -1) << i;
  }
  std::vector<int64_t> same = shuffled(256, 7);
  make_order("checkerboard:1", 256).arrange(same);
  EXPECT_EQ(same, shuffled(256, 7)) << "one stage is the image's own order";
}

TEST(Orders, HaltonVisitsTheReleasedCells) {
  for (const std::vector<int64_t>& released :
       {testing::kHalton4, testing::kHalton8, testing::kHalton12, testing::kHalton16}) {
    const auto length = static_cast<int64_t>(released.size());
    EXPECT_EQ(decoded("halton", shuffled(length, 5)), released);
    EXPECT_NE(decoded("raster", shuffled(length, 5)), released) << "control";
  }
}

TEST(Orders, RolledHaltonBeginsElsewhere) {
  const std::vector<int64_t> order = decoded("halton", shuffled(16, 5));
  const std::vector<int64_t> rolled = decoded("halton:rolled", shuffled(16, 5));
  std::vector<int64_t> back = rolled;
  std::rotate(back.begin(), back.begin() + 3, back.end());  // the first drawn number is 3
  EXPECT_EQ(back, order);
  EXPECT_NE(rolled, order) << "control";
}

TEST(Orders, SubsampleTakesEverySecondRowAndColumn) {
  EXPECT_EQ(decoded("subsample", shuffled(16, 5)),
            (std::vector<int64_t>{0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15}));
}

TEST(Orders, AFileListsTokensAsTheyAreDecoded) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "order.txt").string();
  std::ofstream(path) << "3, 1\n2 0\n";
  EXPECT_EQ(order_text(path), "list:3,1,2,0");
  EXPECT_EQ(decoded("list:3,1,2,0", {0, 1, 2, 3}), (std::vector<int64_t>{3, 1, 2, 0}));
  EXPECT_EQ(order_text("halton:rolled"), "halton:rolled");
  std::ofstream(path) << "3 x";
  EXPECT_TRUE(contains(refused([&] { order_text(path); }), "\"x\""));
  EXPECT_TRUE(contains(refused([] { order_text("spiral"); }), "checkerboard"));
  EXPECT_TRUE(contains(refused([] { order_text("/"); }), "is a folder"));
  EXPECT_TRUE(contains(refused([] { order_text("./none.txt"); }), "no such file"));
  EXPECT_TRUE(contains(refused([] { make_order("list:0,1,1,2", 4); }), "0 to 3 once"));
}

TEST(Orders, WhatNeedsASquareSaysSo) {
  for (const char* order : {"halton", "checkerboard:2", "subsample"}) {
    EXPECT_TRUE(contains(refused([&] { make_order(order, 12); }), "12 tokens are not a square"))
        << order;
  }
  EXPECT_TRUE(contains(refused([] { make_order("subsample", 9); }), "power of two"));
  EXPECT_EQ(decoded("raster", shuffled(12, 5)).front(), 0) << "control: raster needs none";
}

TEST(Orders, ArgumentsAreChecked) {
  EXPECT_TRUE(contains(refused([] { make_order("checkerboard", 16); }), "checkerboard:K"));
  EXPECT_TRUE(contains(refused([] { make_order("checkerboard:0", 16); }), "checkerboard:K"));
  EXPECT_TRUE(contains(refused([] { make_order("halton:turned", 16); }), "halton:rolled"));
  EXPECT_TRUE(contains(refused([] { make_order("raster:2", 16); }), "no argument"));
}

TEST(Orders, StagesKeepTheImagesOrderWithin) {
  std::vector<int64_t> order{5, 0, 3, 7, 1, 6, 4, 2};
  sort_by_stage(order, [](int64_t position) { return position % 2; });
  EXPECT_EQ(order, (std::vector<int64_t>{5, 3, 7, 1, 0, 6, 4, 2})) << "stage 0 in the last rows";
  order = kDrawn;
  sort_by_stage(order, [](int64_t) { return 3; });
  EXPECT_EQ(order, kDrawn) << "one stage changes nothing";
}

TEST(Orders, NamesAreTakenOnce) {
  refused([] {
    orders().add({"raster", [](int64_t, const std::string&) { return TokenOrder(); }});
  });
}

}  // namespace
}  // namespace lazymar
