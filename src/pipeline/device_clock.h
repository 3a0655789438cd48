#pragma once
/// Moments in a device's work, noted without waiting for it.

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace lazymar {

/// On a GPU a moment is an event in its queue, which the device passes once it has done all it was
/// given before; on the CPU it is the time of the note.
class DeviceClock {
 public:
  explicit DeviceClock(c10::Device device) : device_(device) {}

  /// Notes a moment; returns its number, 0, 1, ...
  size_t note();

  /// How many of the first moments have passed by now. Waits for nothing.
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
