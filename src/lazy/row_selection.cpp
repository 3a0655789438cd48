#include "lazymar/lazy/row_selection.h"

#include <ATen/ATen.h>

#include <optional>

namespace lazymar {

at::Tensor rows_in_raster_order(const at::Tensor& orders, int64_t buffer_size) {
  const int64_t length = orders.size(1);
  const at::Tensor token_rows = orders.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/false);
  const at::Tensor buffer_rows =
      at::arange(length, length + buffer_size, orders.options()).expand({orders.size(0), -1});
  return at::cat({buffer_rows, token_rows}, 1);
}

at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const DecodeStep& step, int64_t count) {
  at::Tensor score = similarity.clone();
  score.narrow(1, step.first, step.masked_before - step.first).zero_();
  constexpr bool kStable = true;
  const at::Tensor ascending = std::get<1>(
      score.gather(1, raster_rows).sort(std::optional(kStable), /*dim=*/1, /*descending=*/false));
  return raster_rows.gather(1, ascending.narrow(1, 0, count));
}

}  // namespace lazymar
