#include "pipeline/device_clock.h"

#include <ATen/DeviceAccelerator.h>

namespace lazymar {

size_t DeviceClock::note() {
  if (device_.is_cpu()) {
    times_.push_back(std::chrono::steady_clock::now());
    return times_.size() - 1;
  }
  // The flag that enables timing.
  events_.emplace_back(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
  events_.back().record(at::accelerator::getCurrentStream(device_.index()));
  return events_.size() - 1;
}

size_t DeviceClock::passed() {
  if (device_.is_cpu()) {
    return times_.size();
  }
  while (passed_ < events_.size() && events_[passed_].query()) {
    ++passed_;
  }
  return passed_;
}

double DeviceClock::seconds(size_t from, size_t to) const {
  constexpr double kMilliseconds = 1e-3;
  return device_.is_cpu() ? std::chrono::duration<double>(times_[to] - times_[from]).count()
                          : kMilliseconds * events_[from].elapsedTime(events_[to]);
}

}  // namespace lazymar
