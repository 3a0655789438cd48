#include "nn/input_maxima.h"

#include <ATen/ATen.h>

namespace lazymar {
namespace {

class MaximaKernel final : public LinearKernel {
 public:
  MaximaKernel(const Linear& layer, const at::Tensor& maxima) : layer_(layer), maxima_(maxima) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    if (x.numel() > 0) {
      const at::Tensor largest = at::amax(x.abs().flatten(0, -2), 0).to(c10::kFloat);
      maxima_.copy_(at::maximum(maxima_, largest));
    }
    return layer_(x, activation);
  }

  c10::ScalarType input_type() const override { return layer_.input_type(); }
  c10::ScalarType output_type() const override { return layer_.output_type(); }

 private:
  Linear layer_;
  at::Tensor maxima_;
};

}  // namespace

Linear with_input_maxima(const Linear& layer, const at::Tensor& maxima) {
  return {layer.in, layer.out, std::make_shared<MaximaKernel>(layer, maxima)};
}

}  // namespace lazymar
