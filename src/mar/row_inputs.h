#pragma once
/// The inputs of a stack of blocks, row by row.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "nn/block.h"

namespace lazymar {

/// The rows that enter a stack of blocks, with the first block's queries, keys and values. All
/// depend only on the row, so they are computed when the row changes and not in every step.
struct RowInputs {
  at::Tensor x;   ///< [R, N, D]
  at::Tensor q;   ///< the first block's queries, [R, N, D]
  at::Tensor kv;  ///< the first block's keys and values, [R, N, 2D]

  /// x [R, N, D] with its queries, keys and values by `first`.
  static RowInputs of(const Block& first, const at::Tensor& x);
  /// Allocates `batch_rows` times `rows` rows like those of `example`, unless already allocated.
  void make_room(const RowInputs& example, int64_t batch_rows, int64_t rows);

  /// Overwrites rows [first, first + T) of the first `copies` * B batch rows with `rows` [B, T, *],
  /// once per copy.
  void write(const RowInputs& rows, int64_t first, int64_t copies = 1);

  /// Rows by index: `rows` [B, K] int64 of a table with R = 1 -> [B, K, *].
  RowInputs gathered(const at::Tensor& rows) const;
  /// The first `batch_rows` batch rows: a view.
  RowInputs leading(int64_t batch_rows) const;
  /// Rows from `first` on: a view.
  RowInputs from(int64_t first) const;
};

/// Queries, keys and values of the rows that enter a block: for the first block of a stack they are
/// in its inputs, for the others they are computed.
class BlockRows {
 public:
  /// h [R, N, D] enters blocks[i]; `inputs` are what entered the stack. `all_ask`: queries() will
  /// be called for all rows.
  BlockRows(std::span<const Block> blocks, size_t i, const at::Tensor& h, const RowInputs& inputs,
            bool all_ask);

  /// Of all rows, [R, N, 2D].
  const at::Tensor& keys_values() const { return kv_; }

  /// Queries of the rows that `part` takes of a tensor [R, N, *].
  template <typename Part>
  at::Tensor queries(const Part& part) const {
    return q_.defined() ? part(q_) : block_.queries(part(normed_));
  }

 private:
  const Block& block_;
  at::Tensor normed_;
  at::Tensor q_;
  at::Tensor kv_;
};

}  // namespace lazymar
