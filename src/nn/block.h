#pragma once
/// The transformer block of MAR (timm's ViT block) and its K/V interface.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "nn/linear.h"

namespace lazymar {

struct BlockShape {
  int64_t dim = 0;
  int64_t heads = 0;
  int64_t mlp_dim = 0;
  double norm_eps = 1e-6;
  bool tanh_gelu = false;
};

/// [B, T, D] and [B, T, 2D]; may be views of one tensor.
struct QueriesKeysValues {
  at::Tensor q, kv;
};

/// x += proj(attention(qkv(norm1(x)))); x += fc2(gelu(fc1(norm2(x)))). The checkpoint's qkv is laid
/// out [3, heads, head_dim]; no q/k norm, no LayerScale. Queries are a separate product, because
/// often fewer rows need queries than keys and values.
///
/// A cache calls the parts of a block: keys_values() and queries() of normed(x), then rest() with
/// keys and values of its choice. If every row needs a query, queries_keys_values() is one product
/// instead of two.
struct Block {
  LayerNorm norm1, norm2;
  Linear q_proj;    ///< D -> D
  Linear kv_proj;   ///< D -> 2D, keys first
  Linear qkv_proj;  ///< both at once; not loaded if its format cannot be sliced into the two
  Linear proj, fc1, fc2;
  int64_t heads = 0;
  bool tanh_gelu = false;

  /// x [B, T, D] -> [B, T, D], every row attending to every row.
  at::Tensor operator()(const at::Tensor& x) const;

  /// x [B, T, D] -> what queries() and keys_values() take, [B, T, D] in the products' type.
  at::Tensor normed(const at::Tensor& x) const;
  at::Tensor queries(const at::Tensor& normed) const { return q_proj(normed); }
  at::Tensor keys_values(const at::Tensor& normed) const { return kv_proj(normed); }
  /// Both of every row.
  QueriesKeysValues queries_keys_values(const at::Tensor& normed) const;
  /// The block's output for x [B, Tq, D], whose queries q [B, Tq, D] attend to kv [B, Tk, 2D].
  at::Tensor rest(const at::Tensor& x, const at::Tensor& q, const at::Tensor& kv) const;
};

/// Reads the tensors of `prefix` (as in "encoder_blocks.0").
Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape);

}  // namespace lazymar
