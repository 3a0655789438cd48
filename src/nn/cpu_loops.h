#pragma once
/// Loops over the elements of a row, for nn/ops.cpp: compiled once per generation of x86 and chosen
/// when the program starts. Bits are the same in all of them: the file is compiled without
/// contraction into fused multiply-adds, and sums have a fixed order.

#include <cstdint>

namespace lazymar::cpu {

/// A bf16 number as it lies in memory.
struct Bf16 {
  uint16_t bits;
};

/// One row of a (modulated) LayerNorm. weight and bias may be null, and so may shift and scale.
template <typename X, typename Y>
struct NormRow {
  const X* x;
  const X* weight;
  const X* bias;
  const Y* shift;
  const Y* scale;
  Y* out;
  int64_t width;
  X eps;
};

void norm_row(const NormRow<float, float>& row);
void norm_row(const NormRow<float, Bf16>& row);
void norm_row(const NormRow<double, double>& row);

/// out = x + y, or x + gate * y where there is a gate; out may be x.
void add_row(const float* x, const float* gate, const float* y, float* out, int64_t count);
void add_row(const float* x, const Bf16* gate, const Bf16* y, float* out, int64_t count);
void add_row(const double* x, const double* gate, const double* y, double* out, int64_t count);

/// out = silu(x), or silu(x + y) where there is a y.
void silu_row(const float* x, const float* y, float* out, int64_t count);
void silu_row(const float* x, const float* y, Bf16* out, int64_t count);
void silu_row(const double* x, const double* y, double* out, int64_t count);

}  // namespace lazymar::cpu
