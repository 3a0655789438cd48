#pragma once
/// The few operations that backends may fuse; here as plain ATen.

#include <ATen/core/Tensor.h>

namespace lazymar {

/// x * (1 + scale) + shift; all [R, W].
at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

/// x + gate * y; all [R, W].
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y);

/// x / (1 + exp(-x)), fp32 to 3 ulp or fp64; any shape. On CPUs our own: an element's bits depend
/// on its value alone. ATen's take another path for the rest of each thread's share, so that
/// pictures would depend on the number of threads.
at::Tensor silu(const at::Tensor& x);

/// softmax(q k^T / sqrt(head_dim)) v. q [B, heads, Tq, head_dim], k and v [B, heads, Tk, head_dim]
/// -> [B, Tq, heads * head_dim].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

/// Mean over heads of the cosine similarity over head_dim (eps 1e-8 on the norms, as PyTorch's).
/// a and b [B, heads, T, head_dim] -> [B, T].
at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b);

}  // namespace lazymar
