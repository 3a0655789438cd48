#include "pipeline/device_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace lazymar {
namespace {

TEST(DeviceClock, OnACpuMomentsPassWhenTheyAreNoted) {
  DeviceClock clock(c10::kCPU);
  EXPECT_EQ(clock.passed(), 0U);
  EXPECT_EQ(clock.note(), 0U);
  EXPECT_EQ(clock.passed(), 1U);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(clock.note(), 1U);
  EXPECT_EQ(clock.passed(), 2U);
  EXPECT_GE(clock.seconds(0, 1), 0.02);
  EXPECT_LT(clock.seconds(0, 1), 20);
  EXPECT_EQ(clock.seconds(1, 1), 0);
}

}  // namespace
}  // namespace lazymar
