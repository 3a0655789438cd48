#include "nn/plain_ops.h"

#include <ATen/ATen.h>

namespace lazymar::plain {

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, c10::ScalarType type) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps).to(type);
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          double eps, const at::Tensor& shift, const at::Tensor& scale) {
  const at::Tensor normed = at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
  return at::addcmul(normed + shift.to(x), normed, scale.to(x)).to(shift);
}

at::Tensor add(const at::Tensor& x, const at::Tensor& y) {
  return x + y.to(x);
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y) {
  return at::addcmul(x, gate.to(x), y.to(x));
}

at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type) {
  return at::silu(a.unsqueeze(1) + b).to(type);
}

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type) {
  // ATen expects the channels second.
  const at::Tensor normed =
      at::group_norm(x.to(weight).movedim(-1, 1).contiguous(), groups, weight, bias, eps);
  return normed.movedim(1, -1).to(type).contiguous();
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads) {
  const auto by_head = [&](const at::Tensor& rows) {
    return rows.unflatten(2, {heads, -1}).transpose(1, 2);
  };
  const int64_t width = q.size(2);
  const at::Tensor out = at::scaled_dot_product_attention(
      by_head(q), by_head(kv.narrow(2, 0, width)), by_head(kv.narrow(2, width, width)));
  return out.transpose(1, 2).reshape(q.sizes());
}

at::Tensor take_rows(const at::Tensor& x, const at::Tensor& rows) {
  return x.gather(1, rows.unsqueeze(-1).expand({-1, -1, x.size(2)}));
}

void write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source) {
  target.scatter_(1, rows.unsqueeze(-1).expand_as(source), source);
}

}  // namespace lazymar::plain
