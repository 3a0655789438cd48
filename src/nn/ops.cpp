#include "lazymar/nn/ops.h"

#include <ATen/ATen.h>

#include "lazymar/nn/flops.h"

namespace lazymar {

at::Tensor modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return at::addcmul(x + shift, x, scale);
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y) {
  return at::addcmul(x, gate, y);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t batch = q.size(0);
  const int64_t queries = q.size(2);
  const int64_t width = q.size(1) * q.size(3);
  count_matmul(batch * queries, 2 * width, k.size(2));
  const at::Tensor out = at::scaled_dot_product_attention(q, k, v);
  return out.transpose(1, 2).reshape({batch, queries, width});
}

at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a, b, /*dim=*/-1).mean(1);
}

}  // namespace lazymar
