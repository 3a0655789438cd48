// The emulation finds the errors that it exists for.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "cuda/launch.h"

namespace lazymar::cuda {
namespace {

constexpr int kThreads = 96;

/// What the emulation says of a launch; empty if it has nothing to say.
template <typename... Parameters, typename... Arguments>
std::string found(void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared_bytes,
                  const Arguments&... arguments) {
  try {
    launch(kernel, grid, {static_cast<unsigned>(threads), 1, 1}, shared_bytes, nullptr,
           arguments...);
    return "";
  } catch (const std::logic_error& error) {
    return error.what();
  }
}
::testing::AssertionResult says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos
             ? ::testing::AssertionSuccess()
             : ::testing::AssertionFailure() << "\"" << text << "\"";
}

void half_waits(int limit) {
  if (static_cast<int>(threadIdx.x) < limit) {
    __syncthreads();
  }
}

TEST(Emulator, ABarrierThatNotAllThreadsReachIsAnError) {
  EXPECT_EQ(found(half_waits, {1, 1, 1}, kThreads, 0, kThreads), "");
  EXPECT_TRUE(says(found(half_waits, {1, 1, 1}, kThreads, 0, 40), "not all of them reach"));
}

void sums(float* out, int count) {
  if (static_cast<int>(threadIdx.x) < count) {
    out[threadIdx.x] = warp_sum(static_cast<float>(threadIdx.x));
  }
}

TEST(Emulator, WarpsSumTheirOwnLanes) {
  std::vector<float> out(kThreads);
  EXPECT_EQ(found(sums, {1, 1, 1}, kThreads, 0, out.data(), kThreads), "");
  EXPECT_EQ(out[0], 31 * 16);
  EXPECT_EQ(out[95], 64 * 32 + 31 * 16);
  // A shuffle that part of a warp does not reach.
  EXPECT_TRUE(says(found(sums, {1, 1, 1}, kThreads, 0, out.data(), 40), "not all of them reach"));
}

TEST(Emulator, LaunchesThatCudaRefusesAreErrors) {
  EXPECT_THROW(launch(half_waits, {1, 1, 1}, {2048, 1, 1}, 0, nullptr, 0), std::logic_error);
  EXPECT_THROW(launch(half_waits, {0, 1, 1}, {32, 1, 1}, 0, nullptr, 0), std::logic_error);
  EXPECT_THROW(launch(half_waits, {1, 1, 1}, {32, 1, 1}, 1 << 20, nullptr, 0), std::logic_error);
}

void shuffled(unsigned mask, int bits, int* out) {
  if ((mask >> (threadIdx.x % kWarp) & 1U) != 0) {
    out[threadIdx.x] = __shfl_xor_sync(mask, static_cast<int>(threadIdx.x), bits);
  }
}

#if defined(LAZYMAR_WATCHED)

TEST(Emulator, AShuffleWithALaneThatTakesNoPartIsAnError) {
  std::vector<int> out(kThreads);
  EXPECT_EQ(found(shuffled, {1, 1, 1}, 64, 0, 0x0000FFFFU, 8, out.data()), "");
  EXPECT_EQ(out[3], 11);
  EXPECT_TRUE(says(found(shuffled, {1, 1, 1}, 64, 0, 0x0000FFFFU, 16, out.data()),
                   "which takes no part in it"));
  // A block of half a warp has no other lanes.
  EXPECT_TRUE(says(found(shuffled, {1, 1, 1}, 16, 0, 0xFFFFFFFFU, 8, out.data()),
                   "lanes that the block does not have"));
}

/// Every thread reads what its neighbour wrote, after what `how` names.
enum class Between { kNothing, kBlock, kWarp, kHalfWarps };
void rotated(int* values, Between how, int count) {
  int* shared = shared_memory<int>();
  shared[threadIdx.x] = values[threadIdx.x];
  if (how == Between::kBlock) {
    __syncthreads();
  } else if (how == Between::kWarp) {
    __syncwarp();
  } else if (how == Between::kHalfWarps) {
    __syncwarp(threadIdx.x % kWarp < 16 ? 0x0000FFFFU : 0xFFFF0000U);
  }
  values[threadIdx.x] = shared[(static_cast<int>(threadIdx.x) + 1) % count];
}

TEST(Emulator, SharedMemoryNeedsABarrier) {
  const auto rotates = [](Between how, int threads) {
    std::vector<int> values(kThreads);
    return found(rotated, {1, 1, 1}, threads, kThreads * sizeof(int), values.data(), how, threads);
  };
  // Threads run forwards in one launch, backwards in the next: the order must not matter.
  for (int order = 0; order < 2; ++order) {
    EXPECT_EQ(rotates(Between::kBlock, kThreads), "");
    EXPECT_NE(rotates(Between::kNothing, kThreads), "");
    EXPECT_EQ(rotates(Between::kBlock, kThreads), "");
    EXPECT_EQ(rotates(Between::kWarp, kWarp), "");
    EXPECT_TRUE(says(rotates(Between::kWarp, kThreads), "shared memory"));
    EXPECT_TRUE(says(rotates(Between::kHalfWarps, kWarp), "shared memory"));
    EXPECT_EQ(rotates(Between::kBlock, kThreads), "");
  }
}

void read_unwritten(int* out) {
  out[threadIdx.x] = shared_memory<int>()[threadIdx.x];
}
void beyond_shared(int* out, int at) {
  shared_memory<int>()[at] = 1;
  out[0] = shared_memory<int>()[at];
}

TEST(Emulator, SharedMemoryThatNobodyWroteIsNotRead) {
  std::vector<int> out(kThreads);
  EXPECT_TRUE(says(found(read_unwritten, {1, 1, 1}, kThreads, kThreads * sizeof(int), out.data()),
                   "reads shared memory that nobody has written"));
  EXPECT_EQ(found(beyond_shared, {1, 1, 1}, 1, 8 * sizeof(int), out.data(), 7), "");
  EXPECT_TRUE(says(found(beyond_shared, {1, 1, 1}, 1, 8 * sizeof(int), out.data(), 8),
                   "writes beyond shared memory"));
}

void blocks_write(int* out, int apart) {
  out[int64_t{blockIdx.x} * apart] = 1;
}
void blocks_read(int* out) {
  out[blockIdx.x] = out[blockIdx.x ^ 1U];
}
void bytes_write(uint8_t* out) {
  out[threadIdx.x] = 1;
}

TEST(Emulator, BlocksDoNotShareWords) {
  std::vector<int> out(kThreads);
  EXPECT_EQ(found(blocks_write, {4, 1, 1}, 1, 0, out.data(), 1), "");
  EXPECT_TRUE(says(found(blocks_write, {4, 1, 1}, 1, 0, out.data(), 0), "another block"));
  EXPECT_TRUE(says(found(blocks_read, {2, 1, 1}, 1, 0, out.data()), "another block"));
  // The next launch may: kernels on a stream follow one another. Bytes of a word are apart.
  EXPECT_EQ(found(blocks_write, {4, 1, 1}, 1, 0, out.data(), 1), "");
  EXPECT_EQ(found(bytes_write, {1, 1, 1}, kThreads, 0, reinterpret_cast<uint8_t*>(out.data())), "");
}

void write_all(float* out, int count) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) {
    out[i] = 1;
  }
}
void read_all(const float* in, float* out, int count) {
  for (int i = 0; i < count; ++i) {
    out[0] += in[i];
  }
}

TEST(Emulator, OneElementBeyondABufferIsSeen) {
  for (const int64_t size : {1, 7, 100}) {
    const at::Tensor t = at::zeros({size});
    const at::Tensor out = at::zeros({1});
    const auto count = static_cast<int>(size);
    auto* data = t.mutable_data_ptr<float>();
    auto* sum = out.mutable_data_ptr<float>();
    EXPECT_EQ(found(write_all, {1, 1, 1}, kThreads, 0, data, count), "");
    EXPECT_EQ(found(read_all, {1, 1, 1}, 1, 0, data, sum, count), "");
    EXPECT_TRUE(says(found(read_all, {1, 1, 1}, 1, 0, data, sum, count + 1), "reads beyond"));
    const float canary = data[size];
    EXPECT_TRUE(says(found(write_all, {1, 1, 1}, kThreads, 0, data, count + 1), "writes beyond"));
    data[size] = canary;
    // Without the watch the canary tells.
    data[-1] = 0;
    EXPECT_TRUE(says(found(write_all, {1, 1, 1}, kThreads, 0, data, count), "written beyond"));
    data[-1] = canary;
  }
}

#endif

}  // namespace
}  // namespace lazymar::cuda
