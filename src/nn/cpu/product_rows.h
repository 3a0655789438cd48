#pragma once
/// What stands around a packed product: rows of 8-bit numbers before it, and bias, activation and
/// rounding after it. Compiled as loops.h is, with equal bits on all processors.

#include <cstdint>

#include "nn/activation.h"
#include "nn/cpu/numbers.h"

namespace lazymar::cpu {

/// out = activation(sums + bias), rounded; of fp32 sums.
void finish_row(const float* sums, const float* bias, Activation activation, Bf16* out,
                int64_t count);

/// The same of integer sums: out = activation((sums + offsets) * row_factor * column_factors +
/// bias).
struct IntegerRow {
  const int32_t* sums;
  const int32_t* offsets;       ///< by column
  const float* column_factors;  ///< by column
  const float* bias;
  float row_factor;
  int64_t count;
};
void finish_row(const IntegerRow& row, Activation activation, Bf16* out);

/// What an unsigned 8-bit number q of a row stands for is (q - kZeroPoint) * factor.
inline constexpr int32_t kZeroPoint = 128;

/// x -> 8-bit numbers from 1 to 255; returns their factor, max |x| / 127. The rounding error of a
/// number is at most half of it. A row of zeros has factor 0; a NaN or infinity makes factor NaN,
/// and with it every output of the row.
float quantize_row(const Bf16* x, int64_t count, uint8_t* out);

}  // namespace lazymar::cpu
