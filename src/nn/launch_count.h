#pragma once
/// Launches of our own kernels, counted in place of running them. No LibTorch: kernel files include
/// this.

#include <cstdint>

namespace lazymar {

struct LaunchCount {
  bool instead = false;  ///< nothing runs; launches are counted
  int64_t launches = 0;
};

/// The calling thread's.
LaunchCount& launch_count();

/// True if the launch was counted, and must not run.
inline bool is_only_counted() {
  LaunchCount& count = launch_count();
  count.launches += count.instead ? 1 : 0;
  return count.instead;
}

}  // namespace lazymar
