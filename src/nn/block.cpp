#include "nn/block.h"

#include <ATen/ATen.h>

#include "nn/flops.h"
#include "nn/ops.h"

namespace lazymar {

at::Tensor Block::operator()(const at::Tensor& x) const {
  const auto [q, kv] = queries_keys_values(normed(x));
  return rest(x, q, kv);
}

QueriesKeysValues Block::queries_keys_values(const at::Tensor& normed) const {
  if (!qkv_proj.weight().defined()) {
    return {queries(normed), keys_values(normed)};
  }
  const at::Tensor qkv = qkv_proj(normed);
  return {qkv.narrow(2, 0, q_proj.out), qkv.narrow(2, q_proj.out, kv_proj.out)};
}

at::Tensor Block::normed(const at::Tensor& x) const {
  return norm1(x, kv_proj.type());
}

at::Tensor Block::rest(const at::Tensor& x, const at::Tensor& q, const at::Tensor& kv) const {
  work_count().block_rows += x.size(0) * x.size(1);
  auto [attended, rows] =
      add_norm(x, proj(attention(q, kv, heads)), norm2.weight, norm2.bias, norm2.eps, fc1.type());
  const Activation gelu = tanh_gelu ? Activation::kTanhGelu : Activation::kGelu;
  add_in_place(attended, fc2(fc1(rows, gelu)));
  return attended;
}

Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape) {
  const int64_t dim = shape.dim;
  Block block;
  block.norm1 = load_layer_norm(weights, prefix + ".norm1", dim, shape.norm_eps);
  const Linear qkv = load_dense_linear(weights, prefix + ".attn.qkv", dim, 3 * dim);
  const c10::ScalarType type = weights.placement().product_dtype;
  if (const Linear prepared = qkv.prepared(type); prepared.packed()) {
    block.q_proj = qkv.outputs(0, dim).prepared(type);
    block.kv_proj = qkv.outputs(dim, 2 * dim).prepared(type);
  } else {
    block.qkv_proj = prepared;
    block.q_proj = prepared.outputs(0, dim);
    block.kv_proj = prepared.outputs(dim, 2 * dim);
  }
  block.proj = load_linear(weights, prefix + ".attn.proj", dim, dim);
  block.norm2 = load_layer_norm(weights, prefix + ".norm2", dim, shape.norm_eps);
  block.fc1 = load_linear(weights, prefix + ".mlp.fc1", dim, shape.mlp_dim);
  block.fc2 = load_linear(weights, prefix + ".mlp.fc2", shape.mlp_dim, dim);
  block.heads = shape.heads;
  block.tanh_gelu = shape.tanh_gelu;
  return block;
}

}  // namespace lazymar
