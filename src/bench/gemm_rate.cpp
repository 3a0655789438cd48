#include "bench/gemm_rate.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "nn/linear.h"
#include "pipeline/product_timer.h"

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
  return 2.0 * kRows * kIn * kOut / best_seconds(layer, x, kRounds, kRoundSeconds);
}

}  // namespace lazymar
