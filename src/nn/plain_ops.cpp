#include "nn/plain_ops.h"

#include <ATen/ATen.h>

#include <optional>

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

at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads) {
  const auto split = [&](const at::Tensor& x) {
    const at::Tensor rows = x.unflatten(2, {heads, -1});
    return x.scalar_type() == c10::kDouble ? rows : rows.to(c10::kFloat);
  };
  return at::cosine_similarity(split(a), split(b), /*dim=*/-1).mean(2);
}

at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const RowSelection& selection) {
  constexpr bool kStable = true;
  at::Tensor score = similarity.clone();
  score.narrow(1, selection.first, selection.protected_end - selection.first).zero_();
  const at::Tensor ascending = std::get<1>(
      score.gather(1, raster_rows).sort(std::optional(kStable), /*dim=*/1, /*descending=*/false));
  const at::Tensor kept = raster_rows.gather(1, ascending.narrow(1, 0, selection.count));
  const at::Tensor predicted =
      kept.ge(selection.first).logical_and(kept.lt(selection.predicted_end));
  const at::Tensor rank = kept - predicted.to(c10::kLong) * (raster_rows.size(1) + 1);
  return kept.gather(1, rank.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/false));
}

at::Tensor to_bytes(const at::Tensor& images) {
  return ((images + 1) / 2 * 255)
      .clamp(0, 255)
      .round()
      .to(c10::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

}  // namespace lazymar::plain
