#pragma once
/// Which decoder rows a lazy step recomputes after the pruning layer.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "method/decoding_plan.h"

namespace lazymar {

/// orders [B, L] (raster position of each row) -> [B, P + L]: the row of each raster position, with
/// the buffer rows, which are stored last, listed first.
at::Tensor rows_in_raster_order(const at::Tensor& orders, int64_t buffer_size);

/// The `count` rows of lowest similarity: similarity [R, N] -> [R, count]. Rows to be predicted and
/// rows just decoded score 0, not minus infinity: as in the original, enough rows of negative
/// similarity can push some of them out. Ties: the lower raster position first, as listed in
/// `raster_rows` [R, N]. The result lists the rows to be predicted in order, then the others in
/// order.
at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const DecodeStep& step, int64_t count);

/// The rows to be predicted from x [R, K, D], where `rows` [R, K] lists the row of each -> [R, n,
/// D]. A row that was pushed out (see above) is zero, as in the original.
at::Tensor predicted_rows(const at::Tensor& x, const at::Tensor& rows, const DecodeStep& step);

}  // namespace lazymar
