#pragma once
/// Timestamps in a device's work, taken without waiting for it.

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace lazymar {

/// On a GPU, a moment is an event in its queue, which the device passes after all earlier work; on
/// a CPU, it is the current time.
class DeviceClock {
 public:
  explicit DeviceClock(c10::Device device) : device_(device) {}

  /// Records a moment; returns its number, 0, 1, ...
  size_t note();

  /// How many of the first moments have passed. Does not wait.
  size_t passed();

  /// From one moment to another; both must have passed.
  double seconds(size_t from, size_t to) const;

 private:
  c10::Device device_;
  size_t passed_ = 0;
  std::vector<std::chrono::steady_clock::time_point> times_;  ///< on the CPU
  std::vector<c10::Event> events_;                            ///< elsewhere
};

}  // namespace lazymar
