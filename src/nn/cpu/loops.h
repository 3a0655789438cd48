#pragma once
/// Loops over the elements of a row, for nn/ops.cpp: compiled once per generation of x86 and chosen
/// when the program starts. Bits are the same in all of them: the file is compiled without
/// contraction into fused multiply-adds, and sums have a fixed order.

#include <cstdint>

#include "nn/cpu/numbers.h"

namespace lazymar::cpu {

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

/// Adds `rows` contiguous rows of x to `sums` and their squares to `squares`, by channel. Pass few
/// rows at a time: within a call, sums are in fp32 for fp32 and bf16 rows.
void add_moments(const float* x, int64_t rows, int64_t width, double* sums, double* squares);
void add_moments(const Bf16* x, int64_t rows, int64_t width, double* sums, double* squares);
void add_moments(const double* x, int64_t rows, int64_t width, double* sums, double* squares);

/// Rows of width channels: out = x * factor + offset by channel, then SiLU if requested.
template <typename I, typename X, typename Y>
struct ScaleRows {
  const I* x;
  const X* factor;
  const X* offset;
  Y* out;
  int64_t rows;
  int64_t width;
  bool silu;
};

void scale_rows(const ScaleRows<float, float, float>& rows);
void scale_rows(const ScaleRows<float, float, Bf16>& rows);
void scale_rows(const ScaleRows<Bf16, float, float>& rows);
void scale_rows(const ScaleRows<Bf16, float, Bf16>& rows);
void scale_rows(const ScaleRows<double, double, double>& rows);

/// out = x + y, or x + gate * y if there is a gate; out may be x.
void add_row(const float* x, const float* gate, const float* y, float* out, int64_t count);
void add_row(const float* x, const Bf16* gate, const Bf16* y, float* out, int64_t count);
void add_row(const double* x, const double* gate, const double* y, double* out, int64_t count);

/// out = silu(x), or silu(x + y) if there is a y.
void silu_row(const float* x, const float* y, float* out, int64_t count);
void silu_row(const float* x, const float* y, Bf16* out, int64_t count);
void silu_row(const double* x, const double* y, double* out, int64_t count);

}  // namespace lazymar::cpu
