#include "nn/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>
#include <utility>

#include "nn/flops.h"
#include "nn/ops.h"

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

/// An activation as the operator names it: what, and by which formula.
struct PostOp {
  std::string_view name;
  std::string_view algorithm;
};

PostOp post_op(Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return {"gelu", "none"};
    case Activation::kTanhGelu:
      return {"gelu", "tanh"};
    case Activation::kSilu:
      return {"swish", ""};
    case Activation::kNone:
      break;
  }
  return {"none", ""};
}

at::Tensor mkldnn_linear(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                         Activation activation) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  static const auto linear =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  static const Scalars kNoScalars;
  const PostOp post = post_op(activation);
  return linear.call(x, packed, bias, post.name, kNoScalars,
                     post.algorithm.empty() ? std::nullopt : std::optional(post.algorithm));
}

at::Tensor activated(const at::Tensor& y, Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(y);
    case Activation::kTanhGelu:
      return at::gelu(y, "tanh");
    case Activation::kSilu:
      return lazymar::silu(y);
    case Activation::kNone:
      break;
  }
  return y;
}

}  // namespace

WorkCount& work_count() {
  thread_local WorkCount count;
  return count;
}

Linear::Linear(at::Tensor weight, at::Tensor bias)
    : weight_(std::move(weight)), bias_(std::move(bias)) {
  if (weight_.defined()) {
    out = weight_.size(0);
    in = weight_.size(1);
    type_ = weight_.scalar_type();
  }
}

at::Tensor Linear::operator()(const at::Tensor& x, Activation activation) const {
  count_matmul(x.numel() / in, in, out);
  const at::Tensor rows = x.to(type_);
  if (packed_ && x.numel() > 0) {
    return mkldnn_linear(rows, weight_, bias_, activation);
  }
  // The packed form cannot be used with no rows at all, and has the dense one's shape.
  const at::Tensor weight = packed_ ? bias_.new_empty({out, in}) : weight_;
  return activated(at::linear(rows, weight, bias_), activation);
}

Linear Linear::outputs(int64_t first, int64_t count) const {
  TORCH_CHECK(!packed_, "a packed layer cannot be taken apart");
  if (!weight_.defined() || !bias_.defined()) {
    return {};
  }
  return {weight_.narrow(0, first, count), bias_.narrow(0, first, count)};
}

Linear Linear::prepared(c10::ScalarType type) const {
  if (!weight_.defined() || !bias_.defined() || packed_) {
    return *this;
  }
  Linear layer(weight_.to(type), bias_.to(type));
  const bool packs = type == c10::kFloat || type == c10::kBFloat16;
  if (packs && at::hasMKLDNN() && weight_.device().is_cpu()) {
    layer.weight_ = mkldnn_pack(layer.weight_);
    layer.packed_ = true;
  }
  return layer;
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return layer_norm(x, weight, bias, eps, x.scalar_type());
}

at::Tensor LayerNorm::operator()(const at::Tensor& x, c10::ScalarType type) const {
  return layer_norm(x, weight, bias, eps, type);
}

Linear load_dense_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  return {weights.get(name + ".weight", {out, in}), weights.get(name + ".bias", {out})};
}

Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  return load_dense_linear(weights, name, in, out).prepared(weights.placement().product_dtype);
}

Linear load_exact_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out) {
  return load_dense_linear(weights, name, in, out).prepared(weights.placement().dtype);
}

LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps) {
  return {weights.get(name + ".weight", {width}), weights.get(name + ".bias", {width}), eps};
}

}  // namespace lazymar
