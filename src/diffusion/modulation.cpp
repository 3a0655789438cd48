#include "diffusion/modulation.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "nn/ops.h"

namespace lazymar {
namespace {

/// A GPU needs more rows for a full-speed product, and has the memory.
constexpr int64_t kDeviceFactor = 11;

}  // namespace

int64_t Modulation::place(int64_t index, const std::vector<const Linear*>& layers,
                          const ModulationInput& input,
                          const std::function<int64_t(int64_t)>& next) {
  const auto found = std::find(indices_.begin(), indices_.end(), index);
  if (found != indices_.end()) {
    return found - indices_.begin();
  }
  const bool few = input.condition.is_cpu() || rows_at_once_ == kNoneAhead;
  const int64_t most = few ? rows_at_once_ : kDeviceFactor * rows_at_once_;
  const int64_t steps = std::max<int64_t>(1, most / std::max<int64_t>(1, input.rows));
  indices_.clear();
  std::vector<at::Tensor> times;
  for (int64_t i = index; i >= 0 && static_cast<int64_t>(indices_.size()) < steps; i = next(i)) {
    indices_.push_back(i);
    times.push_back(input.times[i]);
  }
  const auto count = static_cast<int64_t>(indices_.size());
  const at::Tensor y = silu_of_sums(at::stack(times), input.condition.narrow(0, 0, input.rows),
                                    input.times.scalar_type())
                           .flatten(0, 1);
  at::Tensor rounded;  // y in the last layer's input type, if not y's own
  outputs_.clear();
  for (const Linear* layer : layers) {
    const c10::ScalarType type = layer->input_type();
    if (type != y.scalar_type() && (!rounded.defined() || type != rounded.scalar_type())) {
      rounded = y.to(type);
    }
    const at::Tensor& seen = type == y.scalar_type() ? y : rounded;
    outputs_.push_back((*layer)(seen).view({count, input.rows, layer->out}));
  }
  return 0;
}

std::vector<at::Tensor> Modulation::at(int64_t index, const std::vector<const Linear*>& layers,
                                       const ModulationInput& input,
                                       const std::function<int64_t(int64_t)>& next) {
  const int64_t first = place(index, layers, input, next);
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& output : outputs_) {
    outputs.push_back(output[first]);
  }
  return outputs;
}

std::vector<at::Tensor> Modulation::window(int64_t index, int64_t most,
                                           const std::vector<const Linear*>& layers,
                                           const ModulationInput& input,
                                           const std::function<int64_t(int64_t)>& next) {
  const int64_t first = place(index, layers, input, next);
  const int64_t count = std::min(most, static_cast<int64_t>(indices_.size()) - first);
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& output : outputs_) {
    outputs.push_back(output.narrow(0, first, count));
  }
  return outputs;
}

}  // namespace lazymar
