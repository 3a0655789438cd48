#include "nn/packed_convolution.h"

#include <ATen/ATen.h>

#include "nn/cpu/bf16_product.h"
#include "nn/cpu/product_rows.h"

namespace lazymar {

PackedConvolution::PackedConvolution(const at::Tensor& weight, const at::Tensor& bias)
    : weight_(weight.to(c10::kBFloat16).permute({0, 2, 3, 1}).flatten(1)),
      bias_(bias.to(c10::kFloat).contiguous()),
      kernel_(weight.size(2)) {}

bool PackedConvolution::fits(const at::Tensor& weight) {
  constexpr int64_t kNumbers = 2 * cpu::kTile;  // in a tile's row
  return weight.is_cpu() && cpu::has_bf16_products() &&
         weight.size(2) * weight.size(1) % kNumbers == 0;
}

at::Tensor PackedConvolution::with_border(const at::Tensor& x) const {
  const int64_t border = kernel_ / 2;
  return (border == 0 ? x : at::constant_pad_nd(x, {0, 0, border, border, border, border}))
      .contiguous();
}

at::Tensor PackedConvolution::operator()(const at::Tensor& padded) const {
  const int64_t rows = padded.size(1);
  const int64_t columns = padded.size(2);
  const int64_t height = rows - kernel_ + 1;
  const int64_t width = columns - kernel_ + 1;
  at::Tensor y = at::empty({padded.size(0), height, width, weight_.out()}, padded.options());
  auto* const out = cpu::mutable_data<cpu::Bf16>(y);
  const auto* const bias = cpu::data<float>(bias_);
  const int64_t pixel = padded.size(3) * padded.element_size();
  // A neighbourhood for every pixel of the padded image that has one behind it in memory. Those
  // that reach over an image's edge are computed, too, but not written.
  const int64_t last = (kernel_ - 1) * columns + kernel_ - 1;
  multiply_in_parts<float>({.data = padded.const_data_ptr(),
                            .stride = pixel,
                            .count = std::max<int64_t>(0, padded.size(0) * rows * columns - last),
                            .pieces = kernel_,
                            .piece_stride = columns * pixel},
                           weight_, cpu::multiply_bf16,
                           [&](int64_t place, int64_t channel, const float* sums, int64_t count) {
                             const int64_t column = place % columns;
                             const int64_t row = place / columns % rows;
                             if (column >= width || row >= height) {
                               return;
                             }
                             const int64_t image = place / (rows * columns);
                             const int64_t index = (image * height + row) * width + column;
                             cpu::finish_row(sums, bias + channel, Activation::kNone,
                                             out + index * weight_.out() + channel, count);
                           });
  return y;
}

}  // namespace lazymar
