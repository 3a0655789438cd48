#pragma once
/// How much memory of its own a process takes while it does something.

#include <atomic>
#include <cstdint>
#include <thread>

namespace lazymar {

/// Anonymous memory of this process now, in bytes: what /proc/self/statm calls resident, less what
/// it calls shared (files that are mapped, such as a checkpoint). 0 where that cannot be read.
int64_t anonymous_memory();

/// Looks at anonymous_memory() every few milliseconds while it lives.
class AnonymousMemoryPeak {
 public:
  AnonymousMemoryPeak();
  ~AnonymousMemoryPeak();
  AnonymousMemoryPeak(const AnonymousMemoryPeak&) = delete;
  AnonymousMemoryPeak& operator=(const AnonymousMemoryPeak&) = delete;

  /// The largest so far, in bytes.
  int64_t bytes();

 private:
  void look();

  std::atomic<int64_t> peak_{0};
  std::jthread thread_;
};

}  // namespace lazymar
