#pragma once
/// Which decoder rows a lazy step recomputes behind the pruning layer.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "method/decoding_plan.h"

namespace lazymar {

/// orders [B, L] (raster position of each row) -> [B, P + L]: the row of each raster position, the
/// buffer's rows, which stand last, listed first.
at::Tensor rows_in_raster_order(const at::Tensor& orders, int64_t buffer_size);

/// The `count` rows of lowest similarity: similarity [R, N] -> [R, count]. Rows to be predicted and
/// rows just decoded score 0, which is not minus infinity: more rows of negative similarity than
/// there is room for push some of them out, as in the original. Of equal rows the one of lower
/// raster position comes first, `raster_rows` [R, N] being its list. In the result the rows to be
/// predicted stand first, in their order, then the others in theirs.
at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const DecodeStep& step, int64_t count);

/// The rows to be predicted out of x [R, K, D], `rows` [R, K] telling which row each one is -> [R,
/// n, D]. A row that is not among them (see above) comes out as zero, as in the original.
at::Tensor predicted_rows(const at::Tensor& x, const at::Tensor& rows, const DecodeStep& step);

}  // namespace lazymar
