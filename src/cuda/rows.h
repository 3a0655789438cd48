#pragma once
/// Rows of a tensor inside a kernel.

#include "cuda/launch.h"

namespace lazymar::cuda {

template <typename T>
__device__ inline const T* row_of(const Rows& rows, int64_t row) {
  return static_cast<const T*>(rows.data) + row / rows.inner * rows.outer_stride +
         row % rows.inner * rows.stride;
}
template <typename T>
__device__ inline T* mutable_row_of(const Rows& rows, int64_t row) {
  return static_cast<T*>(rows.data) + row / rows.inner * rows.outer_stride +
         row % rows.inner * rows.stride;
}

/// The same if both indices are known, without a division.
template <typename T>
__device__ inline const T* row_of(const Rows& rows, int64_t outer, int64_t inner) {
  return static_cast<const T*>(rows.data) + outer * rows.outer_stride + inner * rows.stride;
}

template <typename T>
bool aligned(const Rows& rows) {
  return aligned(rows.data, sizeof(T), rows.stride, rows.outer_stride);
}

/// Calls f with std::integral_constant 4 if everything can be moved in packs of four, else 1.
template <int kValue>
struct PackSize {
  static constexpr int value = kValue;
};
template <typename F>
void with_packs(bool of_four, const F& f) {
  if (of_four) {
    f(PackSize<4>{});
  } else {
    f(PackSize<1>{});
  }
}

}  // namespace lazymar::cuda
