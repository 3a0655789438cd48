#pragma once
/// Weight matrices in 8 bits, with one factor for each output.

#include <ATen/core/Tensor.h>

#include <string_view>

namespace lazymar {

/// The factors of the matrix "x" in a file are the tensor "x" + kScaleSuffix, fp32 [out].
inline constexpr std::string_view kScaleSuffix = "_scale";

/// w = numbers * scales, by row.
struct Int8Weight {
  at::Tensor numbers;  ///< [out, in], -127 to 127
  at::Tensor scales;   ///< [out], fp32; 0 for outputs without a weight
};

/// Rounds a finite weight [out, in]: each is off by at most half of its row's scale, max |w| / 127.
/// Rounding what dequantized() returns gives the same numbers and scales again: in fp32,
/// (x / 127 * 127) / 127 is x / 127 for every x.
Int8Weight quantized(const at::Tensor& weight);

/// [out, in], fp32.
at::Tensor dequantized(const Int8Weight& weight);

}  // namespace lazymar
