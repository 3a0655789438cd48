#include "lazymar/nn/block.h"

#include <ATen/ATen.h>

#include "lazymar/nn/flops.h"
#include "lazymar/nn/ops.h"

namespace lazymar {

at::Tensor Block::operator()(const at::Tensor& x) const {
  const at::Tensor rows = normed(x);
  return feed_forward(attend(x, queries(rows), keys_values(rows)));
}

at::Tensor Block::normed(const at::Tensor& x) const {
  return norm1(x, kv_proj.type());
}

at::Tensor Block::attend(const at::Tensor& x, const at::Tensor& q, const at::Tensor& kv) const {
  return lazymar::add(x, proj(attention(q, kv, heads)));
}

at::Tensor Block::feed_forward(at::Tensor x) const {
  work_count().block_rows += x.size(0) * x.size(1);
  const Activation gelu = tanh_gelu ? Activation::kTanhGelu : Activation::kGelu;
  add_in_place(x, fc2(fc1(norm2(x, fc1.type()), gelu)));
  return x;
}

Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape) {
  const int64_t dim = shape.dim;
  Block block;
  block.norm1 = load_layer_norm(weights, prefix + ".norm1", dim, shape.norm_eps);
  const Linear qkv = load_dense_linear(weights, prefix + ".attn.qkv", dim, 3 * dim);
  const c10::ScalarType type = weights.placement().product_dtype;
  block.q_proj = qkv.outputs(0, dim).prepared(type);
  block.kv_proj = qkv.outputs(dim, 2 * dim).prepared(type);
  block.proj = load_linear(weights, prefix + ".attn.proj", dim, dim);
  block.norm2 = load_layer_norm(weights, prefix + ".norm2", dim, shape.norm_eps);
  block.fc1 = load_linear(weights, prefix + ".mlp.fc1", dim, shape.mlp_dim);
  block.fc2 = load_linear(weights, prefix + ".mlp.fc2", shape.mlp_dim, dim);
  block.heads = shape.heads;
  block.tanh_gelu = shape.tanh_gelu;
  return block;
}

}  // namespace lazymar
