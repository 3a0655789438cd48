#include "metrics/relu_convolution.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>
#include <vector>

namespace lazymar {
namespace {

// LibTorch's fused operators have no header: they are called by their schema.

at::Tensor pack(const at::Tensor& weight, const Window& window, at::IntArrayRef input) {
  static const auto reorder =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
          .typed<at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                            int64_t, at::OptionalIntArrayRef)>();
  return reorder.call(weight, {window.pad_height, window.pad_width}, {window.stride, window.stride},
                      {1, 1}, /*groups=*/1, input);
}

at::Tensor packed_relu_convolution(const at::Tensor& x, const at::Tensor& packed,
                                   const at::Tensor& bias, const Window& window) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  static const auto convolution =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  static const Scalars kNoScalars;
  return convolution.call(x, packed, bias, {window.pad_height, window.pad_width},
                          {window.stride, window.stride}, {1, 1}, /*groups=*/1, "relu", kNoScalars,
                          std::nullopt);
}

}  // namespace

ReluConvolution::ReluConvolution(const at::Tensor& weight, const at::Tensor& bias,
                                 const Window& window, Kernels kernels,
                                 const std::array<int64_t, 4>& input)
    : weight_(weight), bias_(bias), window_(window), kernels_(kernels) {
  if (!weight.defined() || !bias.defined()) {
    return;
  }
  weight_ = weight.contiguous(at::MemoryFormat::ChannelsLast);
  if (kernels_ == Kernels::kPacked) {
    weight_ = pack(weight_, window_, input);
  }
}

at::Tensor ReluConvolution::operator()(const at::Tensor& x) const {
  if (kernels_ == Kernels::kPacked) {
    return packed_relu_convolution(x, weight_, bias_, window_);
  }
  return at::conv2d(x, weight_, bias_, {window_.stride, window_.stride},
                    {window_.pad_height, window_.pad_width})
      .relu_();
}

}  // namespace lazymar
