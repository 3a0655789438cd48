#pragma once
/// Which decoder rows a lazy step recomputes behind the pruning layer.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lazymar/mar/decoding_plan.h"

namespace lazymar {

/// orders [B, L] (raster position of each row) -> [B, P + L]: the row of each raster position, the
/// buffer's rows, which stand last, listed first.
at::Tensor rows_in_raster_order(const at::Tensor& orders, int64_t buffer_size);

/// The `count` rows of lowest similarity: similarity [R, N] -> [R, count]. Rows to be predicted and
/// rows just decoded score 0, which is not minus infinity: more rows of negative similarity than
/// there is room for push some of them out, as in the original. Of equal rows the one of lower
/// raster position comes first, `raster_rows` [R, N] being its list.
at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const DecodeStep& step, int64_t count);

}  // namespace lazymar
