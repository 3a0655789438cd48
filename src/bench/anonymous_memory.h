#pragma once
/// Anonymous memory of a process while it works.

#include <atomic>
#include <cstdint>
#include <thread>

namespace lazymar {

/// Anonymous memory of this process now, in bytes: resident minus shared in /proc/self/statm
/// (shared: mapped files, such as a checkpoint). 0 if that cannot be read.
int64_t anonymous_memory();

/// Samples anonymous_memory() every few milliseconds while it exists.
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
