#pragma once
/// Counts what is executed: matrix products, attention and convolutions, 2 per multiply-add.
/// Element-wise work is not counted (as torch's FlopCounterMode does).

#include <cstdint>

namespace lazymar {

/// Work done on this thread since the last reset.
struct WorkCount {
  int64_t flops = 0;
  int64_t block_rows = 0;  ///< rows through transformer blocks, summed over blocks
  int64_t head_rows = 0;   ///< rows through residual blocks of the head, summed over blocks

  WorkCount& operator+=(const WorkCount& other) {
    flops += other.flops;
    block_rows += other.block_rows;
    head_rows += other.head_rows;
    return *this;
  }
};

/// The calling thread's counter; the code that measures resets it.
WorkCount& work_count();

inline void count_matmul(int64_t rows, int64_t inner, int64_t columns) {
  work_count().flops += 2 * rows * inner * columns;
}

}  // namespace lazymar
