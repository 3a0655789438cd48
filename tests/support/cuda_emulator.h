#pragma once
/// Enough of CUDA C++ to compile src/cuda/*.cu with a C++ compiler and run the kernels on the CPU.
///
/// The threads of a block are fibers of one thread that switch only when they wait for each other,
/// and blocks run one after another. This finds wrong indices, masks and launch shapes, and
/// barriers that some threads do not reach. Threads run forwards in one launch and backwards in the
/// next, which finds most missing barriers. There is no memory model: real races, misaligned
/// accesses and timings need a GPU (compute-sanitizer).

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
#include <memory>
#include <stdexcept>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static  // one block at a time
#define threadIdx (::lazymar::emulator::machine().current().index)
#define blockIdx (::lazymar::emulator::machine().block)
#define blockDim (::lazymar::emulator::machine().block_shape)
#define gridDim (::lazymar::emulator::machine().grid_shape)

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

class Machine {
 public:
  dim3 block, block_shape, grid_shape;
  std::vector<double> shared;  ///< dynamic shared memory, aligned

  Thread& current() { return *current_; }

  void run(dim3 grid, dim3 shape, size_t shared_bytes, const std::function<void()>& kernel) {
    constexpr size_t kMostThreads = 1024;
    constexpr size_t kMostShared = 227 * 1024;
    if (shape.x == 0 || shape.x > kMostThreads || shape.y != 1 || shape.z != 1 || grid.x == 0 ||
        grid.y == 0 || grid.y > 65535 || grid.z != 1 || shared_bytes > kMostShared) {
      throw std::logic_error("emulator: a launch that CUDA would refuse");
    }
    kernel_ = &kernel;
    grid_shape = grid;
    block_shape = shape;
    backwards_ = !backwards_;
    // Unwritten memory must not look like zeros: NaN as float and as double, -1 as integer.
    shared.resize(shared_bytes / sizeof(double) + 1);
    std::memset(shared.data(), 0xFF, shared.size() * sizeof(double));
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        block = {x, y, 1};
        run_block(static_cast<int>(shape.x));
      }
    }
  }

  void wait_for_block() { wait(all_); }
  Barrier& warp() { return warps_[static_cast<size_t>(current_->number / kWarp)]; }

  void wait(Barrier& barrier) {
    if (++barrier.arrived == barrier.expected) {
      barrier.arrived = 0;
      ++barrier.generation;
      progress_ = true;
      return;
    }
    const uint64_t generation = barrier.generation;
    while (barrier.generation == generation) {
      // Unlike swapcontext, these make no system call: ten times as fast.
      if (_setjmp(current_->place) == 0) {
        _longjmp(scheduler_, 1);
      }
    }
  }

  /// Every lane's value, once all lanes of the warp have supplied theirs.
  template <typename T>
  T from_lane(T value, int lane) {
    const size_t first = static_cast<size_t>(current_->number / kWarp * kWarp);
    if (lane_values_.size() < threads_.size()) {
      lane_values_.resize(threads_.size());
    }
    static_assert(sizeof(T) <= sizeof(double));
    *reinterpret_cast<T*>(&lane_values_[static_cast<size_t>(current_->number)]) = value;
    wait(warp());
    const T taken = *reinterpret_cast<T*>(&lane_values_[first + static_cast<size_t>(lane)]);
    wait(warp());
    return taken;
  }

  /// The words of every lane of the warp, once all have supplied theirs; valid until they next
  /// meet.
  template <size_t kCount>
  const std::array<uint32_t, kCount>* of_all_lanes(const std::array<uint32_t, kCount>& words) {
    static std::vector<std::array<uint32_t, kCount>> given;
    if (given.size() < threads_.size()) {
      given.resize(threads_.size());
    }
    given[static_cast<size_t>(current_->number)] = words;
    wait(warp());
    return &given[static_cast<size_t>(current_->number / kWarp * kWarp)];
  }

 private:
  static constexpr size_t kStack = 64 * 1024;

  /// A thread runs kernel after kernel. Creating it costs a system call, so it is created once.
  static void enter() {
    Machine& self = machine_();
    while (true) {
      (*self.kernel_)();
      self.current_->done = true;
      self.progress_ = true;
      if (_setjmp(self.current_->place) == 0) {
        _longjmp(self.scheduler_, 1);
      }
    }
  }
  static Machine& machine_();

  /// Runs the thread until it waits or ends.
  [[gnu::noinline]] void resume(Thread& thread) {
    current_ = &thread;
    if (_setjmp(scheduler_) != 0) {
      return;
    }
    if (!thread.started) {
      thread.started = true;
      setcontext(&thread.context);
    }
    _longjmp(thread.place, 1);
  }

  void run_block(int count) {
    while (static_cast<int>(threads_.size()) < count) {
      Thread& thread = *threads_.emplace_back(std::make_unique<Thread>());
      thread.stack.reset(new char[kStack]);
      thread.number = static_cast<int>(threads_.size()) - 1;
      thread.index = {static_cast<unsigned>(thread.number), 0, 0};
      getcontext(&thread.context);
      thread.context.uc_stack.ss_sp = thread.stack.get();
      thread.context.uc_stack.ss_size = kStack;
      thread.context.uc_link = nullptr;
      makecontext(&thread.context, &Machine::enter, 0);
    }
    all_ = {count};
    warps_.assign(static_cast<size_t>((count + kWarp - 1) / kWarp), {});
    for (int i = 0; i < count; ++i) {
      threads_[static_cast<size_t>(i)]->done = false;
      ++warps_[static_cast<size_t>(i / kWarp)].expected;
    }
    int left = count;
    while (left > 0) {
      progress_ = false;
      for (int i = 0; i < count; ++i) {
        Thread& thread = *threads_[static_cast<size_t>(backwards_ ? count - 1 - i : i)];
        if (!thread.done) {
          resume(thread);
          left -= thread.done ? 1 : 0;
        }
      }
      if (!progress_) {
        threads_.clear();  // they are still within the kernel
        throw std::logic_error("emulator: threads wait at a barrier that not all of them reach");
      }
    }
  }

  const std::function<void()>* kernel_ = nullptr;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Barrier> warps_;
  std::vector<double> lane_values_;
  Barrier all_;
  jmp_buf scheduler_;
  Thread* current_ = nullptr;
  bool backwards_ = true;
  bool progress_ = false;
};

inline Machine& machine() {
  static Machine only;
  return only;
}
inline Machine& Machine::machine_() {
  return machine();
}

/// mma.m16n8k16 by the PTX ISA's tables of fragments.
template <typename Y>
void multiply_tile(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const auto* lanes = machine().of_all_lanes<6>({a[0], a[1], a[2], a[3], b[0], b[1]});
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
  machine().wait(machine().warp());  // the others have read this lane's words
}

}  // namespace lazymar::emulator

inline void __syncthreads() {
  lazymar::emulator::machine().wait_for_block();
}
template <typename T>
T __shfl_xor_sync(unsigned /*mask*/, T value, int bits) {
  auto& machine = lazymar::emulator::machine();
  return machine.from_lane(value, machine.current().number % lazymar::emulator::kWarp ^ bits);
}
