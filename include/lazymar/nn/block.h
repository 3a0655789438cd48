#pragma once
/// The transformer block of MAR (timm's ViT block) and its K/V seam.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "lazymar/nn/linear.h"

namespace lazymar {

/// What attention sees of each row; all [B, heads, T, head_dim].
struct QueryKeyValue {
  at::Tensor q, k, v;
};

struct BlockShape {
  int64_t dim = 0;
  int64_t heads = 0;
  int64_t mlp_dim = 0;
  double norm_eps = 1e-6;
  bool tanh_gelu = false;
};

/// x += proj(attention(qkv(norm1(x)))); x += fc2(gelu(fc1(norm2(x)))). qkv is laid out
/// [3, heads, head_dim]; no q/k norm, no LayerScale.
///
/// A cache takes the block apart: qkv(x), then attend() with keys and values of its own choice,
/// then feed_forward().
struct Block {
  LayerNorm norm1, norm2;
  Linear qkv_proj, proj, fc1, fc2;
  int64_t heads = 0;
  bool tanh_gelu = false;

  /// x [B, T, D] -> [B, T, D], every row attending to every row.
  at::Tensor operator()(const at::Tensor& x) const;

  QueryKeyValue qkv(const at::Tensor& x) const;
  /// x [B, Tq, D] plus the projected attention of q over k and v.
  at::Tensor attend(const at::Tensor& x, const at::Tensor& q, const at::Tensor& k,
                    const at::Tensor& v) const;
  at::Tensor feed_forward(const at::Tensor& x) const;
};

/// Reads the tensors of `prefix` (as in "encoder_blocks.0").
Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape);

}  // namespace lazymar
