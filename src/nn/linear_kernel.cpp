#include "nn/linear_kernel.h"

#include <ATen/ATen.h>

#include "nn/ops.h"

namespace lazymar {

DenseWeights DenseWeights::outputs(int64_t first, int64_t count) const {
  if (!complete()) {
    return {};
  }
  return {weight.narrow(0, first, count), bias.narrow(0, first, count)};
}

std::shared_ptr<const LinearKernel> LinearKernel::slice(int64_t, int64_t) const {
  return nullptr;
}

std::vector<int64_t> output_sizes(const at::Tensor& x, int64_t out) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = out;
  return sizes;
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

}  // namespace lazymar
