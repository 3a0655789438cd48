#include "nn/linear_int8.h"

#include <tuple>

#include "nn/cpu/byte_product.h"
#include "nn/cpu/product_rows.h"
#include "nn/packed_product.h"
#include "weights/int8_weight.h"

namespace lazymar {
namespace {

class Int8Kernel final : public LinearKernel {
 public:
  Int8Kernel(const Int8Weight& weight, const at::Tensor& bias)
      : weight_(weight.numbers),
        factors_(weight.scales),
        offsets_(
            weight.numbers.sum(1, /*keepdim=*/false, c10::kInt).mul(-cpu::kZeroPoint).contiguous()),
        bias_(bias.to(c10::kFloat).contiguous()) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    const auto [rows, row_factors] = quantize(x.contiguous());
    at::Tensor y = at::empty(output_sizes(x, weight_.out()), x.options());
    auto* const out = cpu::mutable_data<cpu::Bf16>(y);
    const auto* const factors = cpu::data<float>(row_factors);
    multiply_in_parts<int32_t>(
        {rows.const_data_ptr(), weight_.padded_in(), rows.size(0)}, weight_, cpu::multiply_bytes,
        [&](int64_t row, int64_t column, const int32_t* sums, int64_t count) {
          cpu::finish_row({.sums = sums,
                           .offsets = cpu::data<int32_t>(offsets_) + column,
                           .column_factors = cpu::data<float>(factors_) + column,
                           .bias = cpu::data<float>(bias_) + column,
                           .row_factor = factors[row],
                           .count = count},
                          activation, out + row * weight_.out() + column);
        });
    return y;
  }

  c10::ScalarType input_type() const override { return c10::kBFloat16; }
  c10::ScalarType output_type() const override { return c10::kBFloat16; }

 private:
  /// Unsigned numbers [rows, padded_in] and their factors [rows]. What fills a row up meets weights
  /// of zero.
  std::tuple<at::Tensor, at::Tensor> quantize(const at::Tensor& x) const {
    const int64_t count = x.numel() / weight_.in();
    at::Tensor rows = at::empty({count, weight_.padded_in()}, c10::kByte);
    at::Tensor factors = at::empty({count}, c10::kFloat);
    const auto* const from = cpu::data<cpu::Bf16>(x);
    auto* const to = cpu::mutable_data<uint8_t>(rows);
    auto* const factor = cpu::mutable_data<float>(factors);
    cpu::for_each_row(count, weight_.in(), [&](int64_t row) {
      uint8_t* const numbers = to + row * weight_.padded_in();
      factor[row] = cpu::quantize_row(from + row * weight_.in(), weight_.in(), numbers);
      std::fill(numbers + weight_.in(), numbers + weight_.padded_in(), uint8_t{0});
    });
    return {rows, factors};
  }

  PackedWeight weight_;
  at::Tensor factors_;  ///< [out]
  at::Tensor offsets_;  ///< [out]: what the zero point adds to a sum, negative
  at::Tensor bias_;
};

}  // namespace

bool computes_int8(c10::Device device) {
  return device.is_cpu();
}

std::shared_ptr<const LinearKernel> int8_kernel(const DenseWeights& weights) {
  return std::make_shared<Int8Kernel>(quantized(weights.weight), weights.bias);
}

}  // namespace lazymar
