#include "bench/anonymous_memory.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "bench/periodic_thread.h"

namespace lazymar {
namespace {

/// Often enough to see a decoding step's buffers, seldom enough to cost nothing.
constexpr std::chrono::milliseconds kPause(10);

}  // namespace

int64_t anonymous_memory() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  int64_t shared = 0;
  file >> size >> resident >> shared;
  return file ? (resident - shared) * ::sysconf(_SC_PAGESIZE) : 0;
}

AnonymousMemoryPeak::AnonymousMemoryPeak()
    : thread_(periodic_thread(std::chrono::milliseconds(0), kPause, [this] { look(); })) {}

AnonymousMemoryPeak::~AnonymousMemoryPeak() = default;

int64_t AnonymousMemoryPeak::bytes() {
  look();
  return peak_;
}

void AnonymousMemoryPeak::look() {
  const int64_t now = anonymous_memory();
  int64_t peak = peak_;
  while (peak < now && !peak_.compare_exchange_weak(peak, now)) {
  }
}

}  // namespace lazymar
