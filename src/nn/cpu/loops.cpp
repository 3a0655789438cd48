#include "nn/cpu/loops.h"

#include <array>
#include <cmath>
#include <cstdint>

#include "nn/cpu/numbers.h"

namespace lazymar::cpu {
namespace {

/// Sum over f(0) .. f(count - 1): sixteen parallel sums, as wide as the widest vector.
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

LAZYMAR_INLINE float silu(float x) {
  // Below -88 the result is practically zero, and the approximation holds up to e^88.
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

template <typename X, typename I>
LAZYMAR_INLINE void moments(const I* x, int64_t rows, int64_t width, double* sums,
                            double* squares) {
  constexpr int64_t kLanes = 16;
  for (int64_t first = 0; first < width; first += kLanes) {
    const int64_t count = width - first < kLanes ? width - first : kLanes;
    std::array<X, kLanes> sum{};
    std::array<X, kLanes> square{};
    const I* at = x + first;
    if (count == kLanes) {
      for (int64_t row = 0; row < rows; ++row, at += width) {
        for (int64_t lane = 0; lane < kLanes; ++lane) {
          const X v = value(at[lane]);
          sum[lane] += v;
          square[lane] += v * v;
        }
      }
    } else {
      for (int64_t row = 0; row < rows; ++row, at += width) {
        for (int64_t lane = 0; lane < count; ++lane) {
          const X v = value(at[lane]);
          sum[lane] += v;
          square[lane] += v * v;
        }
      }
    }
    for (int64_t lane = 0; lane < count; ++lane) {
      sums[first + lane] += static_cast<double>(sum[lane]);
      squares[first + lane] += static_cast<double>(square[lane]);
    }
  }
}

template <typename I, typename X, typename Y>
LAZYMAR_INLINE void scale(const ScaleRows<I, X, Y>& rows) {
  for (int64_t row = 0; row < rows.rows; ++row) {
    const I* const x = rows.x + row * rows.width;
    Y* const out = rows.out + row * rows.width;
    if (rows.silu) {
      for (int64_t i = 0; i < rows.width; ++i) {
        put(out + i, silu(static_cast<X>(value(x[i]) * rows.factor[i] + rows.offset[i])));
      }
    } else {
      for (int64_t i = 0; i < rows.width; ++i) {
        put(out + i, value(x[i]) * rows.factor[i] + rows.offset[i]);
      }
    }
  }
}

}  // namespace

LAZYMAR_VECTOR_CLONES void add_moments(const float* x, int64_t rows, int64_t width, double* sums,
                                       double* squares) {
  moments<float>(x, rows, width, sums, squares);
}
LAZYMAR_VECTOR_CLONES void add_moments(const Bf16* x, int64_t rows, int64_t width, double* sums,
                                       double* squares) {
  moments<float>(x, rows, width, sums, squares);
}
LAZYMAR_VECTOR_CLONES void add_moments(const double* x, int64_t rows, int64_t width, double* sums,
                                       double* squares) {
  moments<double>(x, rows, width, sums, squares);
}

LAZYMAR_VECTOR_CLONES void scale_rows(const ScaleRows<float, float, float>& rows) {
  scale(rows);
}
LAZYMAR_VECTOR_CLONES void scale_rows(const ScaleRows<float, float, Bf16>& rows) {
  scale(rows);
}
LAZYMAR_VECTOR_CLONES void scale_rows(const ScaleRows<Bf16, float, float>& rows) {
  scale(rows);
}
LAZYMAR_VECTOR_CLONES void scale_rows(const ScaleRows<Bf16, float, Bf16>& rows) {
  scale(rows);
}
void scale_rows(const ScaleRows<double, double, double>& rows) {
  scale(rows);
}

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
