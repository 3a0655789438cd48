#include "library/host_state.h"

#include <ATen/Context.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <type_traits>

#include "pipeline/device.h"

namespace lazymar {
namespace {

/// Sets a choice of cuBLAS's sums back; newer releases of LibTorch have an enumeration for it.
template <typename Choice, typename Set>
void set_back(Choice before, Set set) {
  if constexpr (std::is_same_v<Choice, bool>) {
    set(before);
  } else {
    set(before == Choice::AllowReducedPrecisionWithSplitK,
        before != Choice::DisallowReducedPrecisionDisallowSplitK);
  }
}

/// Saves the process's arithmetic; what it returns sets it back.
std::function<void()> saved_arithmetic() {
  at::Context& context = at::globalContext();
  return [&context, matmul = context.float32MatmulPrecision(),
          tf32_cudnn = context.allowTF32CuDNN(), bf16 = context.allowBF16ReductionCuBLAS(),
          fp16 = context.allowFP16ReductionCuBLAS(), benchmark = context.benchmarkCuDNN(),
          deterministic = context.deterministicCuDNN(), attention = context.userEnabledCuDNNSDP()] {
    context.setFloat32MatmulPrecision(matmul == at::Float32MatmulPrecision::HIGHEST ? "highest"
                                      : matmul == at::Float32MatmulPrecision::HIGH  ? "high"
                                                                                    : "medium");
    context.setAllowTF32CuDNN(tf32_cudnn);
    set_back(bf16, [&](auto... choice) { context.setAllowBF16ReductionCuBLAS(choice...); });
    set_back(fp16, [&](auto... choice) { context.setAllowFP16ReductionCuBLAS(choice...); });
    context.setBenchmarkCuDNN(benchmark);
    context.setDeterministicCuDNN(deterministic);
    context.setSDPUseCuDNN(attention);
  };
}

/// Of all threads: the first one that computes saves, the last one restores.
struct Computing {
  std::mutex mutex;
  int64_t count = 0;
  std::function<void()> restore;
};

Computing& computing() {
  static Computing instance;
  return instance;
}

}  // namespace

HostState::HostState(c10::Device device) {
  if (device.is_cuda()) {
    device_.reset_device(device);
  }
  Computing& all = computing();
  const std::lock_guard lock(all.mutex);
  if (all.count == 0) {
    all.restore = saved_arithmetic();
    at::globalContext().setFloat32MatmulPrecision("highest");
  }
  use_device(device);
  ++all.count;
}

HostState::~HostState() {
  Computing& all = computing();
  const std::lock_guard lock(all.mutex);
  if (--all.count == 0) {
    all.restore();
  }
}

}  // namespace lazymar
