#include "pipeline/product_timer.h"

#include <algorithm>
#include <thread>

#include "pipeline/device_clock.h"

namespace lazymar {

double best_seconds(const Linear& layer, const at::Tensor& x, int rounds, double round_seconds) {
  const auto seconds_of = [&](int calls) {
    DeviceClock clock(x.device());
    const size_t start = clock.note();
    for (int call = 0; call < calls; ++call) {
      layer(x);
    }
    const size_t end = clock.note();
    while (clock.passed() <= end) {
      std::this_thread::yield();
    }
    return clock.seconds(start, end);
  };
  seconds_of(1);  // oneDNN prepares itself
  constexpr double kMostCalls = 1000;
  const int calls = static_cast<int>(std::clamp(round_seconds / seconds_of(1), 1.0, kMostCalls));
  double best = seconds_of(calls);
  for (int round = 1; round < rounds; ++round) {
    best = std::min(best, seconds_of(calls));
  }
  return best / calls;
}

}  // namespace lazymar
