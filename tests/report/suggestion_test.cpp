#include "report/suggestion.h"

#include <gtest/gtest.h>

#include "support/drift_folder.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;
using testing::write_invented;

/// Eight decoding steps, two tokens each, and four rows of buffer: N = 20.
DriftHeader header(int64_t image = 0) {
  DriftHeader header;
  header.settings = {{"model", "demo"}};
  header.image = image;
  header.masked = {16, 14, 12, 10, 8, 6, 4, 2, 0};
  header.rows = 20;
  return header;
}

LazyOptions schedule(int64_t warmup, int64_t refresh) {
  LazyOptions lazy;
  lazy.warmup = warmup;
  lazy.refresh = refresh;
  return lazy;
}

std::vector<double> suggested(const testing::InventedChange& change, double tolerance,
                              bool falling = false) {
  const TemporaryFolder folder;
  write_invented(folder.path(), header(), change);
  return suggest_retain(read_drift(folder.path()), schedule(2, 4), tolerance, falling).shares;
}

// Required rows: two to be predicted and two decoded in the step before, 4 of 20.
constexpr double kDue = 0.2;

TEST(Suggestion, WhatNeverChangesIsNotRecomputed) {
  // Steps 0, 1, 2 and 6 are full.
  EXPECT_EQ(suggested([](auto...) { return 0; }, 0),
            (std::vector<double>{1, 1, 1, kDue, kDue, kDue, 1, kDue}));
}

TEST(Suggestion, WhatAlwaysChangesIsRecomputed) {
  EXPECT_EQ(suggested([](auto...) { return 0.5; }, 0.25), std::vector<double>(8, 1.0));
  // A change equal to the tolerance does not count.
  EXPECT_EQ(suggested([](auto...) { return 0.5; }, 0.5)[3], kDue);
}

TEST(Suggestion, ChangesCountFromWhenARowWasLastComputed) {
  // The buffer's four rows change by 1/4 per step.
  const auto drifting = [](int64_t from, int64_t to, int64_t row) {
    return row < 16 ? 0.0 : 0.25 * static_cast<double>(to - from);
  };
  constexpr double kBuffer = 4. / 20;
  EXPECT_EQ(suggested(drifting, 0.3),
            (std::vector<double>{1, 1, 1, kDue, kDue + kBuffer, kDue, 1, kDue}));
  EXPECT_EQ(suggested(drifting, 0.6),
            (std::vector<double>{1, 1, 1, kDue, kDue, kDue + kBuffer, 1, kDue}));
  EXPECT_EQ(suggested(drifting, 0.8), suggested([](auto...) { return 0; }, 0.8));
  // In step 4 the buffer was recomputed, so in step 5 it is close again. Counted from the last full
  // step, it would not be.
  EXPECT_EQ(suggested(drifting, 0.2)[5], kDue + kBuffer);
}

TEST(Suggestion, ATighterToleranceNeverAsksForFewerRowsAtFirst) {
  const auto change = [](int64_t from, int64_t to, int64_t row) {
    return static_cast<double>((row * 7 + 3 * from + 5 * to) % 16) / 16;
  };
  double before = 0;
  for (const double tolerance : {1.0, 0.8, 0.6, 0.4, 0.2, 0.0}) {
    const double share = suggested(change, tolerance)[3];
    EXPECT_GE(share, before);
    before = share;
  }
  EXPECT_GT(before, kDue);
}

TEST(Suggestion, FallingNeverRises) {
  const auto late = [](int64_t from, int64_t to, int64_t row) {
    return row >= 16 && from == 2 && to == 5 ? 1. : 0.;
  };
  EXPECT_EQ(suggested(late, 0.5), (std::vector<double>{1, 1, 1, kDue, kDue, 0.4, 1, kDue}));
  EXPECT_EQ(suggested(late, 0.5, /*falling=*/true),
            (std::vector<double>{1, 1, 1, 0.4, 0.4, 0.4, 1, kDue}));
}

TEST(Suggestion, TheImageThatChangesMostCounts) {
  const TemporaryFolder folder;
  write_invented(folder.path(), header(0), [](auto...) { return 0; });
  write_invented(folder.path(), header(1),
                 [](int64_t, int64_t, int64_t row) { return row == 19 ? 1. : 0.; });
  const Suggestion found = suggest_retain(read_drift(folder.path()), schedule(2, 4), 0.5, false);
  EXPECT_EQ(found.list(), "1,1,1,0.25,0.25,0.25,1,0.25");
}

TEST(Suggestion, SharesAreRoundedUpSoThatNoRowIsLost) {
  const TemporaryFolder folder;
  DriftHeader of_seven = header();
  of_seven.masked = {5, 4, 3, 2, 1, 0};
  of_seven.rows = 7;
  write_invented(folder.path(), of_seven, [](auto...) { return 0; });
  const Suggestion found = suggest_retain(read_drift(folder.path()), schedule(1, 9), 0.5, false);
  // Two rows of seven are required; LazyMAR takes floor(7 * share).
  EXPECT_EQ(found.shares[2], 0.2858);
  EXPECT_EQ(static_cast<int64_t>(7 * found.shares[2]), 2);
}

}  // namespace
}  // namespace lazymar
