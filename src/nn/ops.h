#pragma once
/// The few operations that backends may fuse. CPUs use the loops in cpu/, which pass over the rows
/// once instead of several times. There, the bits of an element depend only on its row, not on the
/// number of rows or threads. Other devices use the kernels registered in device_ops.h. Without a
/// kernel, and in tests, plain ATen versions (plain_ops.h) are used. Rooms above declare their own:
/// diffusion/head_ops.h, mar/device_noise.h, cache/row_ops.h, vae/pixels.h.
///
/// Activations x are fp32 or fp64. Inputs and outputs of a matrix product ("product type") have x's
/// type or are bf16 or fp16; every operation computes in x's type.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lazymar {

/// LayerNorm over the last dimension; x [..., W], weight and bias [W] or undefined -> [..., W] of
/// `type`.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, c10::ScalarType type);

/// layer_norm(x) * (1 + scale) + shift; x, shift and scale [R, W] -> [R, W] of shift's type.
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          double eps, const at::Tensor& shift, const at::Tensor& scale);

/// x + y, of x's type; y of the same shape, of x's or the product type.
at::Tensor add(const at::Tensor& x, const at::Tensor& y);
void add_in_place(at::Tensor& x, const at::Tensor& y);

/// A sum, and its norm.
struct SumAndNorm {
  at::Tensor sum, normed;
};

/// add(x, y) and its layer_norm of `type`.
SumAndNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, c10::ScalarType type);

/// x + gate * y, of x's type; all [R, W], gate and y of x's or a product type.
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y);

/// x / (1 + exp(-x)), fp32 to 3 ulp or fp64; any shape. (ATen's uses another path for the remainder
/// of each thread's share, so images would depend on the number of threads.)
at::Tensor silu(const at::Tensor& x);

/// silu(a[i] + b[j]) of `type` for every i and j: a [I, W], b [J, W] -> [I, J, W].
at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type);

/// GroupNorm over the pixels and channels of each group, optionally with SiLU: x [B, ..., C] with C
/// last, fp32, fp64 or bf16, weight and bias [C] -> the same shape in `type`.
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type);
at::Tensor group_norm_silu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           int64_t groups, double eps, c10::ScalarType type);

/// softmax(q k^T / sqrt(head_dim)) v, head by head: q [B, Tq, D], kv [B, Tk, 2D] with the keys
/// first -> [B, Tq, D].
at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads);

/// Rows of x [B, T, W] by index: rows [B, K] int64 -> [B, K, W].
at::Tensor take_rows(const at::Tensor& x, const at::Tensor& rows);

/// target [B, T, W]: overwrites the rows named by `rows` [B, K] with those of source [B, K, W].
void write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source);

}  // namespace lazymar
