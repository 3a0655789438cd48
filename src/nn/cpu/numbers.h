#pragma once
/// Conversions and e^t for loops over elements, written so that compilers vectorise them. For files
/// compiled without contraction into fused multiply-adds.

#include <array>
#include <bit>
#include <cstdint>

// A function is compiled for one generation of processors only with everything it calls inlined.
#define LAZYMAR_INLINE inline __attribute__((always_inline))

// Compiles a function for each of these generations; the processor's is chosen at the start.
#if defined(__x86_64__)
#define LAZYMAR_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define LAZYMAR_VECTOR_CLONES
#endif

namespace lazymar::cpu {

/// A bf16 number as stored in memory.
struct Bf16 {
  uint16_t bits;
};

LAZYMAR_INLINE float value(float x) {
  return x;
}
LAZYMAR_INLINE double value(double x) {
  return x;
}
LAZYMAR_INLINE float value(Bf16 x) {
  return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16);
}

LAZYMAR_INLINE void put(float* to, float x) {
  *to = x;
}
LAZYMAR_INLINE void put(double* to, double x) {
  *to = x;
}
/// Rounds to nearest, ties to even; a NaN stays one.
LAZYMAR_INLINE void put(Bf16* to, float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  to->bits = static_cast<uint16_t>(x != x ? 0x7FC0U : rounded);
}

/// e^t = 2^k e^r with |r| <= ln 2 / 2, where ln 2 is a sum of two; e^r = 1 + r + r^2 p(r) by its
/// Taylor polynomial with coefficients fitted to that range, highest power first (Cephes, expf).
inline constexpr float kLog2E = 1.44269504088896341F;
inline constexpr float kLn2High = 0.693359375F;
inline constexpr float kLn2Low = -2.12194440e-4F;
inline constexpr std::array kExpTerms{1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                      4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};

/// e^t for t up to 88, to 2 ulp; written out so that compilers vectorise it.
LAZYMAR_INLINE float exponential(float t) {
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = t * kLog2E + kRounder;
  const float k = shifted - kRounder;
  const float r = (t - k * kLn2High) - k * kLn2Low;
  float p = kExpTerms[0];
  p = p * r + kExpTerms[1];
  p = p * r + kExpTerms[2];
  p = p * r + kExpTerms[3];
  p = p * r + kExpTerms[4];
  p = p * r + kExpTerms[5];
  p = p * r * r + r + 1.0F;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRounder);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

}  // namespace lazymar::cpu
