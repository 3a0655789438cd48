#include "lazymar/diffusion/modulation.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "lazymar/nn/ops.h"

namespace lazymar {

std::vector<at::Tensor> Modulation::at(int64_t index, const std::vector<const Linear*>& layers,
                                       const ModulationInput& input,
                                       const std::function<int64_t(int64_t)>& next) {
  auto found = std::find(indices_.begin(), indices_.end(), index);
  if (found == indices_.end()) {
    const int64_t steps = std::max<int64_t>(1, rows_at_once_ / std::max<int64_t>(1, input.rows));
    indices_.clear();
    for (int64_t i = index; i >= 0 && static_cast<int64_t>(indices_.size()) < steps; i = next(i)) {
      indices_.push_back(i);
    }
    const auto count = static_cast<int64_t>(indices_.size());
    const at::Tensor chosen = input.times.index({at::tensor(indices_).to(input.times.device())});
    const at::Tensor y =
        silu_of_sums(chosen, input.condition.narrow(0, 0, input.rows), input.times.scalar_type())
            .flatten(0, 1);
    at::Tensor rounded;  // to the products' type, where a layer wants that
    outputs_.clear();
    for (const Linear* layer : layers) {
      if (layer->type() != y.scalar_type() && !rounded.defined()) {
        rounded = y.to(layer->type());
      }
      const at::Tensor& seen = layer->type() == y.scalar_type() ? y : rounded;
      outputs_.push_back((*layer)(seen).view({count, input.rows, layer->out}));
    }
    found = indices_.begin();
  }
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& output : outputs_) {
    outputs.push_back(output[found - indices_.begin()]);
  }
  return outputs;
}

}  // namespace lazymar
