#include "nn/linear_packed.h"

#include "nn/cpu/bf16_product.h"
#include "nn/cpu/product_rows.h"
#include "nn/packed_product.h"

namespace lazymar {
namespace {

class PackedKernel final : public LinearKernel {
 public:
  explicit PackedKernel(const DenseWeights& weights)
      : weight_(weights.weight), bias_(weights.bias.to(c10::kFloat).contiguous()) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    const at::Tensor rows = padded_rows(x, weight_);
    at::Tensor y = at::empty(output_sizes(x, weight_.out()), x.options());
    auto* const out = cpu::mutable_data<cpu::Bf16>(y);
    const auto* const bias = cpu::data<float>(bias_);
    multiply_in_parts<float>(
        {rows.const_data_ptr(), rows.size(-1) * rows.element_size(), x.numel() / weight_.in()},
        weight_, cpu::multiply_bf16,
        [&](int64_t row, int64_t column, const float* sums, int64_t count) {
          cpu::finish_row(sums, bias + column, activation, out + row * weight_.out() + column,
                          count);
        });
    return y;
  }

  c10::ScalarType input_type() const override { return c10::kBFloat16; }
  c10::ScalarType output_type() const override { return c10::kBFloat16; }

 private:
  PackedWeight weight_;
  at::Tensor bias_;
};

}  // namespace

bool has_packed_products(c10::Device device) {
  return device.is_cpu() && cpu::has_bf16_products();
}

std::shared_ptr<const LinearKernel> packed_kernel(const DenseWeights& weights) {
  return std::make_shared<PackedKernel>(weights);
}

}  // namespace lazymar
