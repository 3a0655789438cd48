#pragma once
/// The operations of the token cache that devices may compute by kernels, their plain ATen twins,
/// and the table of a device's kernels (nn/device_ops.h).

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lazymar {

/// Mean over heads of the cosine similarity over head_dim (eps 1e-8 on the norms, as PyTorch's), in
/// fp32 at least. a and b [B, T, D] -> [B, T].
at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads);

/// Which rows of N least_similar_rows() prefers.
struct RowSelection {
  int64_t first = 0;  ///< rows [first, predicted_end) come first in the result
  int64_t predicted_end = 0;
  int64_t protected_end = 0;  ///< rows [first, protected_end) score 0
  int64_t count = 0;          ///< rows to choose
};

/// The `count` rows of lowest similarity: similarity [R, N] -> [R, count] int64. Ties: the lower
/// raster position first, as listed in `raster_rows` [R, N] int64. NaN ranks highest. The
/// result lists [first, predicted_end) in order, then the other rows in order.
at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const RowSelection& selection);

namespace plain {
at::Tensor mean_cosine_similarity(const at::Tensor& a, const at::Tensor& b, int64_t heads);
at::Tensor least_similar_rows(const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const RowSelection& selection);
}  // namespace plain

struct RowDeviceOps {
  at::Tensor (*mean_cosine_similarity)(const at::Tensor& a, const at::Tensor& b,
                                       int64_t heads) = nullptr;
  at::Tensor (*least_similar_rows)(const at::Tensor& similarity, const at::Tensor& raster_rows,
                                   const RowSelection& selection) = nullptr;
};

}  // namespace lazymar
