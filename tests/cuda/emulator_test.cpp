// The emulation finds the errors that it exists for.
#include <gtest/gtest.h>

#include "cuda/launch.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 96;

void rotated(int* values, bool with_barrier) {
  int* shared = shared_memory<int>();
  shared[threadIdx.x] = values[threadIdx.x];
  if (with_barrier) {
    __syncthreads();
  }
  values[threadIdx.x] = shared[(threadIdx.x + 1) % kThreads];
}

bool rotates(bool with_barrier) {
  std::vector<int> values(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    values[static_cast<size_t>(i)] = i;
  }
  launch(rotated, {1, 1, 1}, {kThreads, 1, 1}, kThreads * sizeof(int), nullptr, values.data(),
         with_barrier);
  for (int i = 0; i < kThreads; ++i) {
    if (values[static_cast<size_t>(i)] != (i + 1) % kThreads) {
      return false;
    }
  }
  return true;
}

TEST(Emulator, AMissingBarrierShows) {
  // Threads forwards in one launch, backwards in the next.
  for (int order = 0; order < 2; ++order) {
    EXPECT_TRUE(rotates(true));
    EXPECT_FALSE(rotates(false));
    rotates(true);  // an odd number of launches: the other order comes next
  }
}

void half_waits(int limit) {
  if (static_cast<int>(threadIdx.x) < limit) {
    __syncthreads();
  }
}

TEST(Emulator, ABarrierThatNotAllThreadsReachIsAnError) {
  launch(half_waits, {1, 1, 1}, {kThreads, 1, 1}, 0, nullptr, kThreads);
  EXPECT_THROW(launch(half_waits, {1, 1, 1}, {kThreads, 1, 1}, 0, nullptr, 40), std::logic_error);
}

void sums(float* out, int count) {
  if (static_cast<int>(threadIdx.x) < count) {
    out[threadIdx.x] = warp_sum(static_cast<float>(threadIdx.x));
  }
}

TEST(Emulator, WarpsSumTheirOwnLanes) {
  std::vector<float> out(kThreads);
  launch(sums, {1, 1, 1}, {kThreads, 1, 1}, 0, nullptr, out.data(), kThreads);
  EXPECT_EQ(out[0], 31 * 16);
  EXPECT_EQ(out[95], 64 * 32 + 31 * 16);
  // A shuffle that part of a warp does not reach.
  EXPECT_THROW(launch(sums, {1, 1, 1}, {kThreads, 1, 1}, 0, nullptr, out.data(), 40),
               std::logic_error);
}

TEST(Emulator, LaunchesThatCudaRefusesAreErrors) {
  EXPECT_THROW(launch(half_waits, {1, 1, 1}, {2048, 1, 1}, 0, nullptr, 0), std::logic_error);
  EXPECT_THROW(launch(half_waits, {0, 1, 1}, {32, 1, 1}, 0, nullptr, 0), std::logic_error);
  EXPECT_THROW(launch(half_waits, {1, 1, 1}, {32, 1, 1}, 1 << 20, nullptr, 0), std::logic_error);
}

}  // namespace
}  // namespace lazymar::cuda
