#include "lazymar/nn/block.h"

#include <ATen/ATen.h>

#include "lazymar/nn/flops.h"
#include "lazymar/nn/ops.h"

namespace lazymar {

at::Tensor Block::operator()(const at::Tensor& x) const {
  const auto [q, k, v] = qkv(x);
  return feed_forward(attend(x, q, k, v));
}

QueryKeyValue Block::qkv(const at::Tensor& x) const {
  const int64_t head_dim = x.size(2) / heads;
  const at::Tensor all =
      qkv_proj(norm1(x)).view({x.size(0), x.size(1), 3, heads, head_dim}).permute({2, 0, 3, 1, 4});
  return {all[0], all[1], all[2]};
}

at::Tensor Block::attend(const at::Tensor& x, const at::Tensor& q, const at::Tensor& k,
                         const at::Tensor& v) const {
  return x + proj(attention(q, k, v));
}

at::Tensor Block::feed_forward(const at::Tensor& x) const {
  work_count().block_rows += x.size(0) * x.size(1);
  return x + fc2(at::gelu(fc1(norm2(x)), tanh_gelu ? "tanh" : "none"));
}

Block load_block(WeightSource& weights, const std::string& prefix, const BlockShape& shape) {
  const int64_t dim = shape.dim;
  Block block;
  block.norm1 = load_layer_norm(weights, prefix + ".norm1", dim, shape.norm_eps);
  block.qkv_proj = load_linear(weights, prefix + ".attn.qkv", dim, 3 * dim);
  block.proj = load_linear(weights, prefix + ".attn.proj", dim, dim);
  block.norm2 = load_layer_norm(weights, prefix + ".norm2", dim, shape.norm_eps);
  block.fc1 = load_linear(weights, prefix + ".mlp.fc1", dim, shape.mlp_dim);
  block.fc2 = load_linear(weights, prefix + ".mlp.fc2", shape.mlp_dim, dim);
  block.heads = shape.heads;
  block.tanh_gelu = shape.tanh_gelu;
  return block;
}

}  // namespace lazymar
