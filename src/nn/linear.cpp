#include "lazymar/nn/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>
#include <utility>

#include "lazymar/nn/flops.h"

namespace lazymar {
namespace {

// LibTorch declares its packed linear operators in no header: they are called by their schema.

/// Dense weight [out, in] -> the layout that mkldnn_linear takes.
at::Tensor mkldnn_pack(const at::Tensor& weight) {
  static const auto reorder = c10::Dispatcher::singleton()
                                  .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                                  .typed<at::Tensor(const at::Tensor&, std::optional<int64_t>)>();
  return reorder.call(weight, std::nullopt);
}

at::Tensor mkldnn_linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  static const auto linear =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  static const Scalars kNoScalars;
  return linear.call(x, packed, bias, "none", kNoScalars, std::nullopt);
}

}  // namespace

WorkCount& work_count() {
  thread_local WorkCount count;
  return count;
}

Linear::Linear(at::Tensor dense_weight, at::Tensor dense_bias)
    : weight(std::move(dense_weight)), bias(std::move(dense_bias)) {
  if (weight.defined()) {
    out = weight.size(0);
    in = weight.size(1);
  }
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  count_matmul(x.numel() / in, in, out);
  if (!packed) {
    return at::linear(x, weight, bias);
  }
  if (x.numel() == 0) {
    return at::linear(x, bias.new_empty({out, in}), bias);
  }
  return mkldnn_linear(x, weight, bias);
}

Linear Linear::outputs(int64_t first, int64_t count) const {
  TORCH_CHECK(!packed, "a packed layer cannot be taken apart");
  if (!weight.defined() || !bias.defined()) {
    return {};
  }
  return {weight.narrow(0, first, count), bias.narrow(0, first, count)};
}

void Linear::pack() {
  if (!weight.defined() || !bias.defined() || packed || !at::hasMKLDNN() ||
      !weight.device().is_cpu() || weight.scalar_type() != c10::kFloat) {
    return;
  }
  weight = mkldnn_pack(weight);
  packed = true;
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
}

Linear load_dense_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  return {weights.get(name + ".weight", {out, in}), weights.get(name + ".bias", {out})};
}

Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  Linear linear = load_dense_linear(weights, name, in, out);
  linear.pack();
  return linear;
}

LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps) {
  return {weights.get(name + ".weight", {width}), weights.get(name + ".bias", {width}), eps};
}

}  // namespace lazymar
