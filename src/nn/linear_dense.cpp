// Weights as they are, multiplied by LibTorch: fp64, and every type on devices that oneDNN does not
// support.

#include <ATen/ATen.h>

#include <utility>

#include "nn/linear_formats.h"

namespace lazymar {
namespace {

class DenseKernel final : public LinearKernel {
 public:
  explicit DenseKernel(DenseWeights weights) : weights_(std::move(weights)) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    return activated(at::linear(x, weights_.weight, weights_.bias), activation);
  }

  c10::ScalarType input_type() const override { return weights_.weight.scalar_type(); }
  c10::ScalarType output_type() const override { return input_type(); }
  const DenseWeights* dense() const override { return &weights_; }

  std::shared_ptr<const LinearKernel> slice(int64_t first, int64_t count) const override {
    return dense_kernel(weights_.outputs(first, count));
  }

 private:
  DenseWeights weights_;
};

}  // namespace

std::shared_ptr<const LinearKernel> dense_kernel(DenseWeights weights) {
  return std::make_shared<DenseKernel>(std::move(weights));
}

}  // namespace lazymar
