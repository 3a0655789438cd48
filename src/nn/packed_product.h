#pragma once
/// What linear layers with own kernels share: the packed weight, and a product in parts that
/// threads take. A part's sums run over all of the inputs, so that bits depend on neither the parts
/// nor the threads.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nn/cpu/tensors.h"
#include "nn/cpu/tiles.h"

namespace lazymar {

/// A weight [out, in] of bf16 or 8-bit numbers in the layout of cpu::TileProduct::b, filled with
/// zeros up to whole words, tiles and blocks.
class PackedWeight {
 public:
  explicit PackedWeight(const at::Tensor& weight)
      : in_(weight.size(1)),
        padded_in_(cpu::round_up(in_, cpu::kTile * 4 / weight.element_size())),
        out_(weight.size(0)) {
    const int64_t rows = cpu::round_up(out_, cpu::kTile);
    words_ = at::constant_pad_nd(weight, {0, padded_in_ - in_, 0, rows - out_})
                 .contiguous()
                 .view(c10::kInt)
                 .view({rows / cpu::kTile, cpu::kTile, -1})
                 .transpose(1, 2)
                 .contiguous();
  }

  int64_t in() const { return in_; }
  int64_t padded_in() const { return padded_in_; }  ///< numbers in a row of A
  int64_t out() const { return out_; }
  int64_t blocks() const { return words_.size(0); }
  int64_t words() const { return words_.size(1); }  ///< of a row of A
  const uint32_t* block(int64_t index) const {
    return static_cast<const uint32_t*>(words_.const_data_ptr()) + index * words() * cpu::kTile;
  }

 private:
  int64_t in_, padded_in_, out_;
  at::Tensor words_;  ///< int32 [blocks, words, 16]
};

/// Rows of A in memory.
struct PackedRows {
  const void* data;
  int64_t stride;  ///< bytes
  int64_t count;
  int64_t pieces = 1;        ///< of a row
  int64_t piece_stride = 0;  ///< bytes
};

/// Calls multiply(cpu::TileProduct) for each part of the product, and then, for each row of the
/// part, finish(row, first column, sums of the row, number of columns). `Sum` is float or int32_t.
template <typename Sum, typename Multiply, typename FinishRow>
void multiply_in_parts(const PackedRows& rows, const PackedWeight& weight, const Multiply& multiply,
                       const FinishRow& finish) {
  constexpr int64_t kRows = 128;
  constexpr int64_t kBlocks = 4;
  constexpr int64_t kWordsPerThread = 1 << 21;  // some microseconds: less is not worth a thread
  const int64_t chunks = (rows.count + kRows - 1) / kRows;
  const int64_t panels = (weight.blocks() + kBlocks - 1) / kBlocks;
  const int64_t part_words = std::min(rows.count, kRows) * kBlocks * cpu::kTile * weight.words();
  const int64_t grain = std::max<int64_t>(1, kWordsPerThread / std::max<int64_t>(1, part_words));
  at::parallel_for(0, chunks * panels, grain, [&](int64_t begin, int64_t end) {
    constexpr int64_t kColumns = kBlocks * cpu::kTile;
    std::vector<Sum> sums(static_cast<size_t>(kRows * kColumns));
    for (int64_t part = begin; part < end; ++part) {
      const int64_t block = part / chunks * kBlocks;
      const int64_t first = part % chunks * kRows;
      const int64_t count = std::min(kRows, rows.count - first);
      multiply(cpu::TileProduct{.a = static_cast<const char*>(rows.data) + first * rows.stride,
                                .a_stride = rows.stride,
                                .b = weight.block(block),
                                .words = weight.words(),
                                .rows = count,
                                .blocks = std::min(kBlocks, weight.blocks() - block),
                                .c = sums.data(),
                                .c_stride = kColumns * static_cast<int64_t>(sizeof(Sum)),
                                .pieces = rows.pieces,
                                .piece_stride = rows.piece_stride});
      const int64_t column = block * cpu::kTile;
      for (int64_t row = 0; row < count; ++row) {
        finish(first + row, column, sums.data() + row * kColumns,
               std::min(kColumns, weight.out() - column));
      }
    }
  });
}

/// x [..., in] with rows at equal distances, filled with zeros up to the weight's padded_in.
inline at::Tensor padded_rows(const at::Tensor& x, const PackedWeight& weight) {
  const int64_t missing = weight.padded_in() - weight.in();
  return missing > 0 ? at::constant_pad_nd(x, {0, missing}).contiguous() : x.contiguous();
}

}  // namespace lazymar
