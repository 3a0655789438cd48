#include "nn/linear.h"

#include <ATen/ATen.h>

#include <utility>

#include "nn/flops.h"
#include "nn/linear_formats.h"
#include "nn/ops.h"

namespace lazymar {

WorkCount& work_count() {
  thread_local WorkCount count;
  return count;
}

Linear::Linear(int64_t in_size, int64_t out_size, std::shared_ptr<const LinearKernel> kernel)
    : in(in_size), out(out_size), kernel_(std::move(kernel)) {}

Linear::Linear(const DenseWeights& weights) {
  if (weights.complete()) {
    *this = {weights.weight.size(1), weights.weight.size(0), dense_kernel(weights)};
  }
}

at::Tensor Linear::operator()(const at::Tensor& x, Activation activation) const {
  count_matmul(x.numel() / in, in, out);
  return (*kernel_)(x.to(kernel_->input_type()), activation);
}

std::optional<Linear> Linear::slice(int64_t first, int64_t count) const {
  auto part = loaded() ? kernel_->slice(first, count) : nullptr;
  return part ? std::optional<Linear>({in, count, std::move(part)}) : std::nullopt;
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return layer_norm(x, weight, bias, eps, x.scalar_type());
}

at::Tensor LayerNorm::operator()(const at::Tensor& x, c10::ScalarType type) const {
  return layer_norm(x, weight, bias, eps, type);
}

DenseWeights load_dense_weights(WeightSource& weights, const std::string& name, int64_t in,
                                int64_t out) {
  return {weights.get(name + ".weight", {out, in}), weights.get(name + ".bias", {out})};
}

Linear make_linear(const DenseWeights& weights, LayerRole role, const Placement& placement) {
  if (!weights.complete()) {
    return {};
  }
  const LinearFormat& format =
      linear_format(placement.precision->formats.of(role), placement.device);
  return {weights.weight.size(1), weights.weight.size(0), format.make(weights)};
}

Linear load_linear(WeightSource& weights, LayerRole role, const std::string& name, int64_t in,
                   int64_t out) {
  return make_linear(load_dense_weights(weights, name, in, out), role, weights.placement());
}

LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps) {
  return {weights.get(name + ".weight", {width}), weights.get(name + ".bias", {width}), eps};
}

}  // namespace lazymar
