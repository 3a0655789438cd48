#include "generate/batch_size.h"

#include <gtest/gtest.h>

#include <new>
#include <vector>

#include "cache/policies.h"
#include "core/network_config.h"
#include "flops/cost_table.h"
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

TEST(CpuBatch, IsTheUsualOneOrWhatFits) {
  const auto batch = [](int64_t room, const HostProcesses& processes = {}) {
    return cpu_batch(8, 100 * kMiB, MemoryRoom{room * kMiB, "the control group"}, processes);
  };
  EXPECT_EQ(cpu_batch(8, 100 * kMiB, std::nullopt, {}), 8);
  EXPECT_EQ(batch(1000), 8);
  EXPECT_EQ(batch(500), 4);
  EXPECT_EQ(batch(0), 1);
  EXPECT_EQ(batch(1000, {2, 0}), 4);           // two take from it
  EXPECT_EQ(batch(1000, {2, 300 * kMiB}), 3);  // and the other one's weights, too
  EXPECT_EQ(batch(1000, {64, 300 * kMiB}), 1);
}

TEST(CpuBatch, CountsCachesAndRows) {
  const MarConfig huge = published_config(*find_preset("mar_huge"));
  const auto bytes = [&](const std::optional<LazyOptions>& lazy, double cfg) {
    SamplingOptions sampling;
    sampling.cfg = cfg;
    return cpu_image_bytes(huge, make_plan(huge, method_of(sampling, lazy)),
                           parse_precision("bf16"));
  };
  const int64_t plain = bytes(std::nullopt, 3.25);
  EXPECT_EQ(plain, int64_t{2} * 320 * (7 * 1280 + 5120) * 4);
  EXPECT_EQ(bytes(std::nullopt, 1.0), plain / 2);  // without guidance, half of the rows
  EXPECT_EQ(bytes(LazyOptions(), 3.25),
            plain + cache_bytes_per_image(huge, make_plan(huge, method_of({}, LazyOptions())),
                                          parse_precision("bf16")));
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
