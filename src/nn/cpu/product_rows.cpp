#include "nn/cpu/product_rows.h"

#include <bit>
#include <limits>

namespace lazymar::cpu {
namespace {

/// Far beyond what bf16 shows beside 1, and far from subnormal numbers, which are slow.
constexpr float kMostExponent = 60.0F;

LAZYMAR_INLINE float magnitude(float x) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & 0x7FFFFFFFU);
}

/// e^t with t cut to what exponential() takes; NaN stays NaN, by the products that follow.
LAZYMAR_INLINE float bounded_exponential(float t) {
  const float above = t > -kMostExponent ? t : -kMostExponent;
  return exponential(above < kMostExponent ? above : kMostExponent);
}

LAZYMAR_INLINE float silu(float y) {
  return y / (1.0F + bounded_exponential(-y));
}

/// y (1 + tanh u) / 2 = y / (1 + e^(-2 u)).
LAZYMAR_INLINE float tanh_gelu(float y) {
  constexpr float kTwiceRoot = 1.59576912160573F;  // 2 sqrt(2 / pi)
  constexpr float kCubic = 0.044715F;
  return y / (1.0F + bounded_exponential(-kTwiceRoot * (y + kCubic * y * y * y)));
}

/// y (1 + erf(y / sqrt 2)) / 2, with erfc of |y| by formula 7.1.26 of Abramowitz and Stegun, whose
/// error of 1.5e-7 is far below the rounding to bf16.
LAZYMAR_INLINE float gelu(float y) {
  constexpr float kRootHalf = 0.70710678118654752F;
  const float x = magnitude(y) * kRootHalf;
  const float t = 1.0F / (1.0F + 0.3275911F * x);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float tail = 0.5F * y * (p * t * bounded_exponential(-x * x));
  return y > 0.0F ? y - tail : tail;
}

template <Activation activation>
LAZYMAR_INLINE float finished(float y) {
  if constexpr (activation == Activation::kGelu) {
    return gelu(y);
  } else if constexpr (activation == Activation::kTanhGelu) {
    return tanh_gelu(y);
  } else if constexpr (activation == Activation::kSilu) {
    return silu(y);
  } else {
    return y;
  }
}

template <Activation activation>
LAZYMAR_INLINE void finish_sums(const float* sums, const float* bias, Bf16* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    put(out + i, finished<activation>(sums[i] + bias[i]));
  }
}

template <Activation activation>
LAZYMAR_INLINE void finish_sums(const IntegerRow& row, Bf16* out) {
  for (int64_t i = 0; i < row.count; ++i) {
    const auto sum = static_cast<float>(row.sums[i] + row.offsets[i]);
    put(out + i,
        finished<activation>(sum * (row.row_factor * row.column_factors[i]) + row.bias[i]));
  }
}

}  // namespace

LAZYMAR_VECTOR_CLONES
void finish_row(const float* sums, const float* bias, Activation activation, Bf16* out,
                int64_t count) {
  switch (activation) {
    case Activation::kNone:
      return finish_sums<Activation::kNone>(sums, bias, out, count);
    case Activation::kGelu:
      return finish_sums<Activation::kGelu>(sums, bias, out, count);
    case Activation::kTanhGelu:
      return finish_sums<Activation::kTanhGelu>(sums, bias, out, count);
    case Activation::kSilu:
      return finish_sums<Activation::kSilu>(sums, bias, out, count);
  }
}

LAZYMAR_VECTOR_CLONES
void finish_row(const IntegerRow& row, Activation activation, Bf16* out) {
  switch (activation) {
    case Activation::kNone:
      return finish_sums<Activation::kNone>(row, out);
    case Activation::kGelu:
      return finish_sums<Activation::kGelu>(row, out);
    case Activation::kTanhGelu:
      return finish_sums<Activation::kTanhGelu>(row, out);
    case Activation::kSilu:
      return finish_sums<Activation::kSilu>(row, out);
  }
}

LAZYMAR_VECTOR_CLONES
float quantize_row(const Bf16* x, int64_t count, uint8_t* out) {
  constexpr float kMost = 127.0F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  // As integers, magnitudes of numbers are ordered as the numbers are, and NaN is above all.
  uint32_t most = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = x[i].bits & 0x7FFFU;
    most = bits > most ? bits : most;
  }
  const float largest = std::bit_cast<float>(most << 16);
  const bool finite = most < 0x7F80U;
  const float scale = finite && largest > 0 ? kMost / largest : 0.0F;
  for (int64_t i = 0; i < count; ++i) {
    const float rounded = value(x[i]) * scale + kRounder;
    const int32_t number = std::bit_cast<int32_t>(rounded) - std::bit_cast<int32_t>(kRounder);
    out[i] = static_cast<uint8_t>(number + kZeroPoint);
  }
  return finite ? largest / kMost : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace lazymar::cpu
