#include "bench/gemm_rate.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <thread>

#include "nn/flops.h"
#include "nn/linear.h"
#include "pipeline/device_clock.h"

namespace lazymar {

double gemm_rate(const Placement& placement) {
  constexpr int64_t kRows = 640;
  constexpr int64_t kIn = 1024;
  constexpr int64_t kOut = 4096;
  constexpr int kRounds = 10;
  constexpr double kRoundSeconds = 0.05;
  const c10::InferenceMode guard;
  const auto options = at::TensorOptions().dtype(placement.dtype()).device(placement.device);
  const Linear layer = make_linear({at::rand({kOut, kIn}, options), at::rand({kOut}, options)},
                                   LayerRole::kMlpIn, placement);
  const at::Tensor x = at::rand({kRows, kIn}, options).to(layer.input_type());
  const auto seconds_of = [&](int calls) {
    DeviceClock clock(placement.device);
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
  const int calls = std::clamp(static_cast<int>(kRoundSeconds / seconds_of(1)), 1, 1000);
  double best = seconds_of(calls);
  for (int round = 1; round < kRounds; ++round) {
    best = std::min(best, seconds_of(calls));
  }
  return 2.0 * kRows * kIn * kOut * calls / best;
}

}  // namespace lazymar
