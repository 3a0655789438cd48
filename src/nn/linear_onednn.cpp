#include "nn/linear_onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>

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

/// An activation in the operator's terms: its name and its formula.
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

class OnednnKernel final : public LinearKernel {
 public:
  explicit OnednnKernel(const DenseWeights& weights)
      : packed_(mkldnn_pack(weights.weight)), bias_(weights.bias) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    if (x.numel() > 0) {
      return mkldnn_linear(x, packed_, bias_, activation);
    }
    // The packed weight cannot be multiplied with no rows at all.
    return x.new_empty(output_sizes(x, bias_.size(0)));
  }

  c10::ScalarType input_type() const override { return bias_.scalar_type(); }
  c10::ScalarType output_type() const override { return input_type(); }

 private:
  at::Tensor packed_;
  at::Tensor bias_;
};

}  // namespace

bool has_onednn(c10::Device device) {
  return device.is_cpu() && at::hasMKLDNN();
}

std::shared_ptr<const LinearKernel> onednn_kernel(const DenseWeights& weights) {
  return std::make_shared<OnednnKernel>(weights);
}

}  // namespace lazymar
