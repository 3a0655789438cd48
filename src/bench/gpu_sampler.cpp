#include "bench/gpu_sampler.h"

#include <chrono>
#include <utility>

#include "bench/periodic_thread.h"

namespace lazymar {
namespace {

/// Late enough for the GPU to be busy, soon enough to see a short batch.
constexpr std::chrono::milliseconds kFirst(10);
/// Seldom enough not to disturb the timing.
constexpr std::chrono::milliseconds kPause(100);

}  // namespace

GpuSampler::GpuSampler(const GpuReader* reader) {
  if (reader != nullptr) {
    thread_ =
        periodic_thread(kFirst, kPause, [this, reader] { states_.push_back(reader->read()); });
  }
}

std::vector<GpuState> GpuSampler::finish() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  return std::move(states_);
}

}  // namespace lazymar
