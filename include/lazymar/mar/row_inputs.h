#pragma once
/// What enters a stack of blocks, row by row.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lazymar/nn/block.h"

namespace lazymar {

/// The rows that enter a stack of blocks, and what the first block's attention makes of each. Both
/// depend on the row alone, so they are computed when the row changes and not in every step.
struct RowInputs {
  at::Tensor x;   ///< [R, N, D]
  at::Tensor q;   ///< the first block's queries, [R, N, D]
  at::Tensor kv;  ///< the first block's keys and values, [R, N, 2D]

  /// x [R, N, D] with its queries, keys and values by `first`.
  static RowInputs of(const Block& first, const at::Tensor& x);
  /// Room for `batch_rows` times `rows` rows like those of `example`.
  static RowInputs room_like(const RowInputs& example, int64_t batch_rows, int64_t rows);

  /// Overwrites rows [first, first + T) of the first `copies` * B batch rows with `rows` [B, T, *],
  /// as many times over as there are copies.
  void write(const RowInputs& rows, int64_t first, int64_t copies = 1);

  /// Rows by index: `rows` [B, K] int64 of a table with R = 1 -> [B, K, *].
  RowInputs gathered(const at::Tensor& rows) const;
  /// The first `batch_rows` batch rows: a view.
  RowInputs leading(int64_t batch_rows) const;
};

}  // namespace lazymar
