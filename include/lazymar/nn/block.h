#pragma once
/// The transformer block of MAR (timm's ViT block) and its K/V seam.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "lazymar/nn/linear.h"

namespace lazymar {

struct BlockShape {
  int64_t dim = 0;
  int64_t heads = 0;
  int64_t mlp_dim = 0;
  double norm_eps = 1e-6;
  bool tanh_gelu = false;
};

/// x += proj(attention(qkv(norm1(x)))); x += fc2(gelu(fc1(norm2(x)))). The checkpoint's qkv is laid
/// out [3, heads, head_dim]; no q/k norm, no LayerScale. Queries are a product of their own: often
/// fewer rows ask than are asked.
///
/// A cache takes the block apart: keys_values() and queries() of normed(x), then attend() with keys
/// and values of its own choice, then feed_forward().
struct Block {
  LayerNorm norm1, norm2;
  Linear q_proj;   ///< D -> D
  Linear kv_proj;  ///< D -> 2D, keys first
  Linear proj, fc1, fc2;
  int64_t heads = 0;
  bool tanh_gelu = false;

  /// x [B, T, D] -> [B, T, D], every row attending to every row.
  at::Tensor operator()(const at::Tensor& x) const;

  /// x [B, T, D] -> what queries() and keys_values() take, [B, T, D] in the products' type.
  at::Tensor normed(const at::Tensor& x) const;
  at::Tensor queries(const at::Tensor& normed) const { return q_proj(normed); }
  at::Tensor keys_values(const at::Tensor& normed) const { return kv_proj(normed); }
  /// x [B, Tq, D] plus the projected attention of q [B, Tq, D] over kv [B, Tk, 2D].
  at::Tensor attend(const at::Tensor& x, const at::Tensor& q, const at::Tensor& kv) const;
  /// Adds the MLP's output to x [B, T, D] in place, and returns it.
  at::Tensor feed_forward(at::Tensor x) const;
};

/// Reads the tensors of `prefix` (as in "encoder_blocks.0").
Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape);

}  // namespace lazymar
