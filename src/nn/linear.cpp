#include "lazymar/nn/linear.h"

#include <ATen/ATen.h>

#include "lazymar/nn/flops.h"

namespace lazymar {

WorkCount& work_count() {
  thread_local WorkCount count;
  return count;
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  count_matmul(x.numel() / weight.size(1), weight.size(1), weight.size(0));
  return at::linear(x, weight, bias);
}

Linear Linear::outputs(int64_t first, int64_t count) const {
  return {weight.narrow(0, first, count), bias.narrow(0, first, count)};
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
}

Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  return {weights.get(name + ".weight", {out, in}), weights.get(name + ".bias", {out})};
}

LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps) {
  return {weights.get(name + ".weight", {width}), weights.get(name + ".bias", {width}), eps};
}

}  // namespace lazymar
