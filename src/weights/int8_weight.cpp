#include "weights/int8_weight.h"

#include <ATen/ATen.h>

namespace lazymar {
namespace {

constexpr double kMost = 127.0;

}  // namespace

Int8Weight quantized(const at::Tensor& weight) {
  const at::Tensor wide = weight.to(c10::kFloat);
  const at::Tensor scales = at::amax(wide.abs(), 1, /*keepdim=*/true).div(kMost);
  const at::Tensor divisors = at::where(scales > 0, scales, at::ones_like(scales));
  const at::Tensor numbers = wide.div(divisors).round().clamp(-kMost, kMost).to(c10::kChar);
  return {numbers, scales.flatten().contiguous()};
}

at::Tensor dequantized(const Int8Weight& weight) {
  return weight.numbers.to(c10::kFloat).mul(weight.scales.to(c10::kFloat).unsqueeze(1));
}

}  // namespace lazymar
