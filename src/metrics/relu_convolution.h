#pragma once
/// The layer that Inception consists of.

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace lazymar {

/// Window of a convolution: size, stride and padding.
struct Window {
  int64_t height = 1, width = 1;
  int64_t stride = 1;
  int64_t pad_height = 0, pad_width = 0;
};

/// How a layer is computed.
enum class Kernels {
  kPlain,  ///< by plain ATen, on any device
  kPacked  ///< by oneDNN on a CPU, with the weight reordered once and the ReLU fused
};

/// relu(convolution + bias), of images [B, C, H, W] in channels-last memory.
class ReluConvolution {
 public:
  ReluConvolution() = default;
  /// weight [out, in, h, w] and bias [out], fp32, both undefined if they could not be loaded.
  /// `input`: sizes [B, C, H, W] that the packed weight is laid out for; others work too.
  ReluConvolution(const at::Tensor& weight, const at::Tensor& bias, const Window& window,
                  Kernels kernels, const std::array<int64_t, 4>& input);

  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  Window window_;
  Kernels kernels_ = Kernels::kPlain;
};

}  // namespace lazymar
