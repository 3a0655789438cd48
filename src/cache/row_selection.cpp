#include "cache/row_selection.h"

#include <ATen/ATen.h>

#include "cache/row_ops.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

at::Tensor is_predicted(const at::Tensor& rows, const DecodeStep& step) {
  return rows.ge(step.first).logical_and(rows.lt(step.masked));
}

}  // namespace

at::Tensor rows_in_raster_order(const at::Tensor& orders, int64_t buffer_size) {
  const int64_t length = orders.size(1);
  const at::Tensor token_rows = orders.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/false);
  const at::Tensor buffer_rows =
      at::arange(length, length + buffer_size, orders.options()).expand({orders.size(0), -1});
  return at::cat({buffer_rows, token_rows}, 1);
}

at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const DecodeStep& step, int64_t count) {
  return least_similar_rows(similarity, raster_rows,
                            RowSelection{step.first, step.masked, step.masked_before, count});
}

at::Tensor predicted_rows(const at::Tensor& x, const at::Tensor& rows, const DecodeStep& step) {
  const int64_t count = step.predicted();
  // One extra row receives those that are not predicted.
  at::Tensor out = at::zeros({x.size(0), count + 1, x.size(2)}, x.options());
  const at::Tensor place = (rows - step.first).masked_fill(~is_predicted(rows, step), count);
  write_rows(out, place, x);
  return out.narrow(1, 0, count);
}

}  // namespace lazymar
