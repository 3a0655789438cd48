#include "library/host_state.h"

#include <ATen/Context.h>

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

}  // namespace

HostState::HostState(c10::Device device) {
  at::Context& context = at::globalContext();
  restore_ = [&context, matmul = context.float32MatmulPrecision(),
              tf32_cudnn = context.allowTF32CuDNN(), bf16 = context.allowBF16ReductionCuBLAS(),
              fp16 = context.allowFP16ReductionCuBLAS(), benchmark = context.benchmarkCuDNN(),
              deterministic = context.deterministicCuDNN(),
              attention = context.userEnabledCuDNNSDP()] {
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
  context.setFloat32MatmulPrecision("highest");
  use_device(device);
}

HostState::~HostState() {
  restore_();
}

}  // namespace lazymar
