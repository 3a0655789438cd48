#include "cpu_loops.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__x86_64__)
#define LAZYMAR_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LAZYMAR_VECTOR_CLONES
#endif
// A clone is compiled as a whole only if everything it calls becomes part of it.
#define LAZYMAR_INLINE inline __attribute__((always_inline))

namespace lazymar::cpu {
namespace {

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

/// Sum over f(0) .. f(count - 1): sixteen sums side by side, as wide as a vector is anywhere.
template <typename T, typename F>
LAZYMAR_INLINE T sum(int64_t count, F f) {
  constexpr int64_t kLanes = 16;
  std::array<T, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += f(i + lane);
    }
  }
  for (int64_t lane = 0; i + lane < count; ++lane) {
    lanes[lane] += f(i + lane);
  }
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) {
      lanes[lane] += lanes[lane + half];
    }
  }
  return lanes[0];
}

template <typename X, typename Y>
LAZYMAR_INLINE void norm(const NormRow<X, Y>& row) {
  const X* const x = row.x;
  const auto width = static_cast<X>(row.width);
  const X mean = sum<X>(
                     row.width, [x](int64_t i) __attribute__((always_inline)) { return x[i]; }) /
                 width;
  const X variance = sum<X>(
                         row.width, [ x, mean ](int64_t i) __attribute__((always_inline)) {
                           return (x[i] - mean) * (x[i] - mean);
                         }) /
                     width;
  const X factor = 1 / std::sqrt(variance + row.eps);
  if (row.weight != nullptr && row.shift != nullptr) {
    for (int64_t i = 0; i < row.width; ++i) {
      const X normed = (x[i] - mean) * factor * row.weight[i] + row.bias[i];
      put(row.out + i, normed * (1 + value(row.scale[i])) + value(row.shift[i]));
    }
  } else if (row.weight != nullptr) {
    for (int64_t i = 0; i < row.width; ++i) {
      put(row.out + i, (x[i] - mean) * factor * row.weight[i] + row.bias[i]);
    }
  } else if (row.shift != nullptr) {
    for (int64_t i = 0; i < row.width; ++i) {
      put(row.out + i, (x[i] - mean) * factor * (1 + value(row.scale[i])) + value(row.shift[i]));
    }
  } else {
    for (int64_t i = 0; i < row.width; ++i) {
      put(row.out + i, (x[i] - mean) * factor);
    }
  }
}

template <typename X, typename Y>
LAZYMAR_INLINE void add(const X* x, const Y* gate, const Y* y, X* out, int64_t count) {
  if (gate != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      out[i] = x[i] + value(gate[i]) * value(y[i]);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      out[i] = x[i] + value(y[i]);
    }
  }
}

/// e^t for t up to 88, to 2 ulp: 2^k e^r with |r| <= ln 2 / 2, e^r by its Taylor polynomial with
/// coefficients fitted to that range (Cephes, expf). Written so that compilers vectorise it.
LAZYMAR_INLINE float exponential(float t) {
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = t * kLog2E + kRounder;
  const float k = shifted - kRounder;
  const float r = (t - k * kLn2High) - k * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRounder);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

LAZYMAR_INLINE float silu(float x) {
  // Below -88 the result is as good as zero, and e^88 is as far as the approximation goes.
  const float bounded = x < -88.0F ? -88.0F : x;
  return bounded / (1.0F + exponential(bounded > 87.0F ? -87.0F : -bounded));
}
LAZYMAR_INLINE double silu(double x) {
  return x / (1.0 + std::exp(-x));
}

template <typename X, typename Y>
LAZYMAR_INLINE void silu(const X* x, const X* y, Y* out, int64_t count) {
  if (y != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      put(out + i, silu(x[i] + y[i]));
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      put(out + i, silu(x[i]));
    }
  }
}

}  // namespace

LAZYMAR_VECTOR_CLONES void norm_row(const NormRow<float, float>& row) {
  norm(row);
}
LAZYMAR_VECTOR_CLONES void norm_row(const NormRow<float, Bf16>& row) {
  norm(row);
}
LAZYMAR_VECTOR_CLONES void norm_row(const NormRow<double, double>& row) {
  norm(row);
}

LAZYMAR_VECTOR_CLONES void add_row(const float* x, const float* gate, const float* y, float* out,
                                   int64_t count) {
  add(x, gate, y, out, count);
}
LAZYMAR_VECTOR_CLONES void add_row(const float* x, const Bf16* gate, const Bf16* y, float* out,
                                   int64_t count) {
  add(x, gate, y, out, count);
}
LAZYMAR_VECTOR_CLONES void add_row(const double* x, const double* gate, const double* y,
                                   double* out, int64_t count) {
  add(x, gate, y, out, count);
}

LAZYMAR_VECTOR_CLONES void silu_row(const float* x, const float* y, float* out, int64_t count) {
  silu(x, y, out, count);
}
LAZYMAR_VECTOR_CLONES void silu_row(const float* x, const float* y, Bf16* out, int64_t count) {
  silu(x, y, out, count);
}
void silu_row(const double* x, const double* y, double* out, int64_t count) {
  silu(x, y, out, count);
}

}  // namespace lazymar::cpu
