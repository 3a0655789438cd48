#include "lazymar/eval/progress.h"

#include <gtest/gtest.h>

namespace lazymar {
namespace {

TEST(Progress, TellsRateAndTimeLeft) {
  EXPECT_EQ(progress_text(12, 64, 8.0, 0), "12/64 images, 1.50 images/s, 0:35 left");
  EXPECT_EQ(progress_text(32, 64, 8.0, 4), "[##  ] 32/64 images, 4.00 images/s, 0:08 left");
}

TEST(Progress, NothingDoneHasNoRate) {
  EXPECT_EQ(progress_text(0, 64, 8.0, 0), "0/64 images");
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(3723), "1:02:03");
}

}  // namespace
}  // namespace lazymar
