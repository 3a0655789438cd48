#include "cache/row_ops.h"

#include <ATen/ATen.h>

#include <optional>

#include "nn/device_ops.h"

namespace lazymar {

namespace plain {

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

}  // namespace plain

at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads) {
  const auto* device = device_ops<RowDeviceOps>(a);
  return device != nullptr ? device->mean_cosine_similarity(a, b, heads)
                           : plain::mean_cosine_similarity(a, b, heads);
}

at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const RowSelection& selection) {
  const auto* device = device_ops<RowDeviceOps>(similarity);
  return device != nullptr ? device->least_similar_rows(similarity, raster_rows, selection)
                           : plain::least_similar_rows(similarity, raster_rows, selection);
}

}  // namespace lazymar
