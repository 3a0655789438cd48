#pragma once
/// Tensors in the form that row loops need, for nn/*.cpp. Files that distribute work among threads
/// are compiled with OpenMP (CMakeLists.txt says why).

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

#include "nn/cpu/loops.h"

namespace lazymar::cpu {

/// Elements that justify another thread.
inline constexpr int64_t kGrain = 1 << 14;

/// A tensor [..., W] as [outer, inner] rows of W contiguous elements.
struct Rows {
  explicit Rows(const at::Tensor& t) : width(t.size(-1)) {
    const bool packed_rows = t.stride(-1) == 1 || width == 1;
    if (packed_rows && t.dim() == 2) {
      tensor = t;
      inner = t.size(0);
      stride = t.stride(0);
    } else if (packed_rows && t.dim() == 3) {
      tensor = t;
      inner = t.size(1);
      outer_stride = t.stride(0);
      stride = t.stride(1);
    } else {
      tensor = t.contiguous();
      inner = width == 0 ? 0 : t.numel() / width;
      stride = width;
    }
  }

  int64_t offset(int64_t row) const { return row / inner * outer_stride + row % inner * stride; }

  at::Tensor tensor;
  int64_t width;
  int64_t inner = 0, stride = 0, outer_stride = 0;
};

/// A tensor's elements, as loops need them.
template <typename T>
const T* data(const at::Tensor& t) {
  return t.defined() ? static_cast<const T*>(t.const_data_ptr()) : nullptr;
}
template <typename T>
T* mutable_data(const at::Tensor& t) {
  return static_cast<T*>(t.mutable_data_ptr());
}

/// Calls f(row) for each row, distributed among threads.
template <typename F>
void for_each_row(int64_t rows, int64_t width, const F& f) {
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width));
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      f(row);
    }
  });
}

/// Calls f with a value of x's element type and one of the product type's.
template <typename F>
void with_types(c10::ScalarType x, c10::ScalarType product, const F& f) {
  if (x == c10::kDouble && product == c10::kDouble) {
    f(double{}, double{});
  } else if (x == c10::kFloat && product == c10::kFloat) {
    f(float{}, float{});
  } else {
    TORCH_CHECK(x == c10::kFloat && product == c10::kBFloat16, "no loop for ", x, " and ", product);
    f(float{}, Bf16{});
  }
}

}  // namespace lazymar::cpu
