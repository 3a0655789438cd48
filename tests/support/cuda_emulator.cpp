#include "support/cuda_emulator.h"

#include <algorithm>
#include <bit>

#include "support/access_watch.h"
#include "support/guarded_allocator.h"

namespace lazymar::emulator {

Machine& machine() {
  static Machine only;
  return only;
}

void Machine::run(dim3 grid, dim3 shape, size_t shared_bytes, const std::function<void()>& kernel) {
  constexpr size_t kMostThreads = 1024;
  constexpr size_t kMostShared = size_t{227} * 1024;
  constexpr size_t kGuard = 64;  // values before and after
  if (shape.x == 0 || shape.x > kMostThreads || shape.y != 1 || shape.z != 1 || grid.x == 0 ||
      grid.y == 0 || grid.y > 65535 || grid.z != 1 || shared_bytes > kMostShared) {
    throw std::logic_error("emulator: a launch that CUDA would refuse");
  }
  kernel_ = &kernel;
  ++launches_;
  grid_shape = grid;
  block_shape = shape;
  backwards_ = !backwards_;
  // Unwritten memory must not look like zeros: NaN as float and as double, -1 as integer.
  memory_.resize(shared_bytes / sizeof(double) + 1 + 2 * kGuard);
  std::memset(memory_.data(), 0xFF, memory_.size() * sizeof(double));
  shared_ = memory_.data() + kGuard;
  AccessWatch& watch = access_watch();
  watch.begin_launch(shared_, shared_bytes, kGuard * sizeof(double));
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      block = {x, y, 1};
      watch.begin_block({x, y});
      run_block(static_cast<int>(shape.x));
    }
  }
  watch.end_launch();
  const std::string overrun = testing::damaged_buffer();
  if (!overrun.empty()) {
    throw std::logic_error("emulator: " + overrun);
  }
}

void Machine::run_phases(dim3 grid, dim3 shape, size_t shared_bytes, int phases,
                         const std::function<void()>& kernel) {
  const uint64_t before = launches_;
  for (phases_ = {0, 0}; phases_.first < phases; phases_.first = phases_.second) {
    for (++phases_.second; phases_.second < phases; ++phases_.second) {
      const std::string place = "for_each_phase:" + std::to_string(phases_.second);
      passed_.insert(place);
      if (place != dropped_) {
        break;
      }
    }
    run(grid, shape, shared_bytes, kernel);
  }
  launches_ = before + 1;
}

void Machine::wait_for_block(const char* function, int line) {
  AccessWatch& watch = access_watch();
  watch.pause();
  const std::string place = std::string(function) + ":" + std::to_string(line);
  passed_.insert(place);
  if (place != dropped_) {
    wait(all_);
  }
  watch.proceed(*current_);
}

void Machine::wait_for_warp(unsigned mask) {
  access_watch().pause();
  Barrier& barrier = lanes(mask);
  if (barrier.arrived + 1 == barrier.expected) {
    access_watch().order_lanes(current_->number / kWarp, mask);
  }
  wait(barrier);
  access_watch().proceed(*current_);
}

double Machine::from_lane(unsigned mask, double value, int lane) {
  AccessWatch& watch = access_watch();
  watch.pause();
  const int first = current_->number / kWarp * kWarp;
  if ((mask >> lane & 1U) == 0 || first + lane >= count_) {
    watch.report("a shuffle reads lane " + std::to_string(lane) + ", which takes no part in it");
    lane = current_->number % kWarp;
  }
  Barrier& barrier = lanes(mask);
  lane_values_[static_cast<size_t>(current_->number)] = value;
  wait(barrier);
  const double taken = lane_values_[static_cast<size_t>(first) + static_cast<size_t>(lane)];
  wait(barrier);
  watch.proceed(*current_);
  return taken;
}

const LaneWords* Machine::of_all_lanes(const LaneWords& words) {
  access_watch().pause();
  lane_words_[static_cast<size_t>(current_->number)] = words;
  wait(lanes(~0U));
  const int first = current_->number / kWarp * kWarp;
  return &lane_words_[static_cast<size_t>(first)];
}

void Machine::meet_again() {
  wait(lanes(~0U));
  access_watch().proceed(*current_);
}

Barrier& Machine::lanes(unsigned mask) {
  const int warp = current_->number / kWarp;
  if ((mask >> (current_->number % kWarp) & 1U) == 0) {
    access_watch().report("a lane waits for a mask that leaves it out");
    mask |= 1U << (current_->number % kWarp);
  }
  const int existing = std::min(kWarp, count_ - warp * kWarp);
  if (existing < kWarp && (mask >> existing) != 0) {
    access_watch().report("a mask names lanes that the block does not have");
    mask &= (1U << existing) - 1;
  }
  if (std::popcount(mask) == existing) {
    return warps_[static_cast<size_t>(warp)];
  }
  Barrier& barrier = some_lanes_[{warp, mask}];
  barrier.expected = std::popcount(mask);
  return barrier;
}

void Machine::wait(Barrier& barrier) {
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    ++barrier.generation;
    progress_ = true;
    if (&barrier == &all_) {
      access_watch().order_block();
    }
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

void Machine::abandon() {
  abandoned_ = true;
  _longjmp(scheduler_, 1);
}

/// A thread runs kernel after kernel. Creating it costs a system call, so it is created once.
void Machine::enter() {
  Machine& self = machine();
  while (true) {
    access_watch().proceed(*self.current_);
    (*self.kernel_)();
    access_watch().pause();
    self.current_->done = true;
    self.progress_ = true;
    if (_setjmp(self.current_->place) == 0) {
      _longjmp(self.scheduler_, 1);
    }
  }
}

/// Runs the thread until it waits or ends.
[[gnu::noinline]] void Machine::resume(Thread& thread) {
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

void Machine::make_threads(int count) {
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
  lane_values_.resize(threads_.size());
  lane_words_.resize(threads_.size());
}

void Machine::run_block(int count) {
  make_threads(count);
  count_ = count;
  all_ = {count};
  some_lanes_.clear();
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
        if (std::exchange(abandoned_, false)) {
          threads_.clear();  // they are still within the kernel
          throw std::logic_error("emulator: " + access_watch().end_launch());
        }
        left -= thread.done ? 1 : 0;
      }
    }
    if (!progress_) {
      threads_.clear();  // they are still within the kernel
      access_watch().end_launch();
      throw std::logic_error("emulator: threads wait at a barrier that not all of them reach");
    }
  }
}

}  // namespace lazymar::emulator
