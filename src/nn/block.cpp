#include "nn/block.h"

#include <ATen/ATen.h>

#include "nn/flops.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

/// All three in one layer if its format can be sliced into them, otherwise separately.
void load_qkv(Block& block, WeightSource& weights, const std::string& name, int64_t dim) {
  const DenseWeights qkv = load_dense_weights(weights, name, dim, 3 * dim);
  const auto load = [&](const DenseWeights& outputs) {
    return make_linear(outputs, LayerRole::kQkv, weights.placement());
  };
  const Linear whole = load(qkv);
  if (const auto q_proj = whole.slice(0, dim)) {
    block.qkv_proj = whole;
    block.q_proj = *q_proj;
    block.kv_proj = *whole.slice(dim, 2 * dim);
  } else {
    block.q_proj = load(qkv.outputs(0, dim));
    block.kv_proj = load(qkv.outputs(dim, 2 * dim));
  }
}

}  // namespace

at::Tensor Block::operator()(const at::Tensor& x) const {
  const auto [q, kv] = queries_keys_values(normed(x));
  return rest(x, q, kv);
}

QueriesKeysValues Block::queries_keys_values(const at::Tensor& normed) const {
  if (!qkv_proj.loaded()) {
    return {queries(normed), keys_values(normed)};
  }
  const at::Tensor qkv = qkv_proj(normed);
  return {qkv.narrow(2, 0, q_proj.out), qkv.narrow(2, q_proj.out, kv_proj.out)};
}

at::Tensor Block::normed(const at::Tensor& x) const {
  return norm1(x, kv_proj.input_type());
}

at::Tensor Block::rest(const at::Tensor& x, const at::Tensor& q, const at::Tensor& kv) const {
  work_count().block_rows += x.size(0) * x.size(1);
  auto [attended, rows] = add_norm(x, proj(attention(q, kv, heads)), norm2.weight, norm2.bias,
                                   norm2.eps, fc1.input_type());
  const Activation gelu = tanh_gelu ? Activation::kTanhGelu : Activation::kGelu;
  add_in_place(attended, fc2(fc1(rows, gelu)));
  return attended;
}

Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape) {
  const int64_t dim = shape.dim;
  Block block;
  block.norm1 = load_layer_norm(weights, prefix + ".norm1", dim, shape.norm_eps);
  load_qkv(block, weights, prefix + ".attn.qkv", dim);
  block.proj = load_linear(weights, LayerRole::kProjection, prefix + ".attn.proj", dim, dim);
  block.norm2 = load_layer_norm(weights, prefix + ".norm2", dim, shape.norm_eps);
  block.fc1 = load_linear(weights, LayerRole::kMlpIn, prefix + ".mlp.fc1", dim, shape.mlp_dim);
  block.fc2 = load_linear(weights, LayerRole::kMlpOut, prefix + ".mlp.fc2", shape.mlp_dim, dim);
  block.heads = shape.heads;
  block.tanh_gelu = shape.tanh_gelu;
  return block;
}

}  // namespace lazymar
