#pragma once
/// The few operations that backends may fuse. On CPUs they are loops of our own: one pass over the
/// rows instead of several, and an element's bits depend on its row alone, never on how many rows
/// or threads there are. Elsewhere, and in tests, their twins of plain ATen (plain_ops.h) stand in.
///
/// Activations x are fp32 or fp64. What goes into or comes out of a matrix product ("product type")
/// has x's type or is bf16; every operation computes in x's type.

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

/// x + gate * y, of x's type; all [R, W], gate and y of one type.
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y);

/// x / (1 + exp(-x)), fp32 to 3 ulp or fp64; any shape. (ATen's takes another path for the rest of
/// each thread's share, so that pictures would depend on the number of threads.)
at::Tensor silu(const at::Tensor& x);

/// silu(a[i] + b[j]) of `type` for every i and j: a [I, W], b [J, W] -> [I, J, W].
at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type);

/// softmax(q k^T / sqrt(head_dim)) v, head by head: q [B, Tq, D], kv [B, Tk, 2D] with the keys
/// first -> [B, Tq, D].
at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads);

/// Mean over heads of the cosine similarity over head_dim (eps 1e-8 on the norms, as PyTorch's), in
/// fp32 at least. a and b [B, T, D] -> [B, T].
at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads);

/// Rows of x [B, T, W] by index: rows [B, K] int64 -> [B, K, W].
at::Tensor take_rows(const at::Tensor& x, const at::Tensor& rows);

/// target [B, T, W]: overwrites the rows named by `rows` [B, K] with those of source [B, K, W].
void write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source);

}  // namespace lazymar
