#include "generate/batch_size.h"

#include <gtest/gtest.h>

#include <new>
#include <vector>

#include "support/errors.h"

namespace lazymar {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

AvailableMemory mebibytes(int64_t count) {
  return [count] { return count * kMiB; };
}

TEST(LargestBatch, FollowsTheLineThroughTwoMeasuredBatches) {
  std::vector<int64_t> asked;
  const auto peak = [&](int64_t images) {
    asked.push_back(images);
    return 1000 * kMiB + images * 50 * kMiB;
  };
  // 0.9 of the memory less 1000 MiB, at 50 MiB per image: 160.
  EXPECT_EQ(largest_batch(peak, mebibytes(10000), 50000), 160);
  EXPECT_EQ(asked, (std::vector<int64_t>{64, 32, 160}));
  EXPECT_EQ(largest_batch(peak, mebibytes(9900), 50000), 152);  // 158, down to a multiple of 8
  EXPECT_EQ(largest_batch(peak, mebibytes(10000), 100), 100);   // no more than the set has
  EXPECT_EQ(largest_batch(peak, mebibytes(10000), 3), 3);
  EXPECT_EQ(largest_batch(peak, mebibytes(100000000), 50000), 1024);
}

TEST(LargestBatch, IsTriedAndMadeSmallerWhereTheLineIsWrong) {
  std::vector<int64_t> asked;
  const auto peak = [&](int64_t images) {
    asked.push_back(images);
    if (images > 130) {
      throw std::bad_alloc();
    }
    return 1000 * kMiB + images * 50 * kMiB;
  };
  EXPECT_EQ(largest_batch(peak, mebibytes(10000), 50000), 112);
  EXPECT_EQ(asked, (std::vector<int64_t>{64, 32, 160, 136, 112}));
}

TEST(LargestBatch, HalvesWhatDoesNotFit) {
  const auto peak = [](int64_t images) {
    if (images > 20) {
      throw std::bad_alloc();
    }
    return images * 50 * kMiB;
  };
  EXPECT_EQ(largest_batch(peak, mebibytes(1200), 50000), 16);  // 21 by extrapolation
  EXPECT_EQ(largest_batch(peak, mebibytes(100), 50000), 16);   // it did fit
  testing::refused([] {
    largest_batch([](int64_t) -> int64_t { throw std::bad_alloc(); }, mebibytes(1), 50000);
  });
  EXPECT_THROW(
      largest_batch([](int64_t) -> int64_t { throw std::logic_error("other"); }, mebibytes(1), 8),
      std::logic_error);
}

}  // namespace
}  // namespace lazymar
