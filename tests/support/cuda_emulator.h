#pragma once
/// Enough of CUDA C++ to compile src/cuda/*.cu with a C++ compiler and run the kernels on the CPU.
///
/// The threads of a block are fibers of one thread that switch only when they wait for each other,
/// and blocks run one after another. This finds wrong indices, masks and launch shapes, and
/// barriers that some threads do not reach. Threads run forwards in one launch and backwards in the
/// next. Every access of a kernel is watched (access_watch.h), which finds races, reads of shared
/// memory that nobody wrote, and accesses beyond a buffer. There is no memory model beyond that:
/// misaligned accesses and timings need a GPU (compute-sanitizer).

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <setjmp.h>
#include <ucontext.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wreserved-identifier"  // CUDA chose the names
#pragma clang diagnostic ignored "-Wreserved-macro-identifier"
#endif
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define threadIdx (::lazymar::emulator::machine().current().index)
#define blockIdx (::lazymar::emulator::machine().block)
#define blockDim (::lazymar::emulator::machine().block_shape)
#define gridDim (::lazymar::emulator::machine().grid_shape)
#define __syncthreads() (::lazymar::emulator::machine().wait_for_block(__func__, __LINE__))

using __nv_bfloat16 = c10::BFloat16;
using __half = c10::Half;

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

inline float __bfloat162float(__nv_bfloat16 x) {
  return static_cast<float>(x);
}
inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  return __nv_bfloat16(x);
}
inline float __half2float(__half x) {
  return static_cast<float>(x);
}
inline __half __float2half_rn(float x) {
  return __half(x);
}

namespace lazymar::emulator {

constexpr int kWarp = 32;

/// All threads must arrive before any continues.
struct Barrier {
  int expected = 0;
  int arrived = 0;
  uint64_t generation = 0;
};

struct Thread {
  ucontext_t context;  ///< its start
  jmp_buf place;       ///< its waiting point
  std::unique_ptr<char[]> stack;
  dim3 index;
  int number = 0;
  bool started = false;
  bool done = false;
};

/// What every lane gives a tensor core: two fragments.
using LaneWords = std::array<uint32_t, 6>;

class Machine {
 public:
  dim3 block, block_shape, grid_shape;

  Thread& current() { return *current_; }
  /// Dynamic shared memory, aligned.
  double* shared() { return shared_; }

  /// Throws std::logic_error for a launch that CUDA would refuse, and for what was found in it.
  void run(dim3 grid, dim3 shape, size_t shared_bytes, const std::function<void()>& kernel);

  /// The same for a kernel of phases, between which all blocks wait for each other: each phase runs
  /// as a launch. The barrier before phase 1 is "for_each_phase:1".
  void run_phases(dim3 grid, dim3 shape, size_t shared_bytes, int phases,
                  const std::function<void()>& kernel);
  template <typename F>
  void for_each_phase(const F& f) const {
    for (int phase = phases_.first; phase < phases_.second; ++phase) {
      f(phase);
    }
  }

  /// How many launches have run.
  uint64_t launches() const { return launches_; }

  /// A barrier of the block at that place of the source: "block_sum:12".
  void wait_for_block(const char* function, int line);
  /// A barrier of the lanes in `mask`.
  void wait_for_warp(unsigned mask);
  /// The value that `lane` of the same warp gives, as the bits of a double.
  double from_lane(unsigned mask, double value, int lane);
  /// What every lane of the warp gives; valid until they next meet.
  const LaneWords* of_all_lanes(const LaneWords& words);
  void meet_again();

  /// Leaves the running thread for good, and ends the launch.
  [[noreturn]] void abandon();

  /// Barriers that launches have passed since the last call.
  std::set<std::string> passed_barriers() { return std::exchange(passed_, {}); }
  /// From now on this barrier does nothing; "" drops none.
  void drop_barrier(const std::string& place) { dropped_ = place; }

 private:
  static constexpr size_t kStack = size_t{64} << 10;

  static void enter();
  Barrier& lanes(unsigned mask);
  void wait(Barrier& barrier);
  void resume(Thread& thread);
  void make_threads(int count);
  void run_block(int count);

  const std::function<void()>* kernel_ = nullptr;
  uint64_t launches_ = 0;
  std::pair<int, int> phases_;  ///< first and end of those that run
  std::vector<double> memory_;  ///< shared memory, and guards around it
  double* shared_ = nullptr;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Barrier> warps_;                              ///< of all lanes
  std::map<std::pair<int, unsigned>, Barrier> some_lanes_;  ///< by warp and mask
  std::vector<double> lane_values_;
  std::vector<LaneWords> lane_words_;
  Barrier all_;
  jmp_buf scheduler_;
  Thread* current_ = nullptr;
  int count_ = 0;  ///< threads of the block
  bool backwards_ = true;
  bool progress_ = false;
  bool abandoned_ = false;
  std::set<std::string> passed_;
  std::string dropped_;
};

Machine& machine();

/// mma.m16n8k16 by the PTX ISA's tables of fragments.
template <typename Y>
void multiply_tile(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const LaneWords* lanes = machine().of_all_lanes({a[0], a[1], a[2], a[3], b[0], b[1]});
  const auto element = [&](int lane, int word, int half) {
    Y value;
    const auto bits = static_cast<uint16_t>(lanes[lane][static_cast<size_t>(word)] >> (16 * half));
    std::memcpy(&value, &bits, sizeof value);
    return static_cast<float>(value);
  };
  const int lane = machine().current().number % kWarp;
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4 + i / 2 * 8;
    const int column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; ++k) {
      c[i] += element(row % 8 * 4 + k % 8 / 2, row / 8 + k / 8 * 2, k % 2) *
              element(column * 4 + k % 8 / 2, 4 + k / 8, k % 2);
    }
  }
  machine().meet_again();  // the others have read this lane's words
}

}  // namespace lazymar::emulator

inline void __syncwarp(unsigned mask = 0xFFFFFFFFU) {
  lazymar::emulator::machine().wait_for_warp(mask);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits) {
  static_assert(sizeof(T) <= sizeof(double));
  auto& machine = lazymar::emulator::machine();
  double given = 0;
  std::memcpy(&given, &value, sizeof value);
  given =
      machine.from_lane(mask, given, (machine.current().number % lazymar::emulator::kWarp) ^ bits);
  std::memcpy(&value, &given, sizeof value);
  return value;
}
