#pragma once
/// Tensors in the form that kernels take.

#include <ATen/ATen.h>

#include <cstdint>

#include "cuda/kernels.h"

namespace lazymar::cuda {

/// The stream that work on x's device goes to. (The tests' emulation has its own.)
Stream current_stream(const at::Tensor& x);

/// True for types that kernels support for rows or products.
inline bool has_element(c10::ScalarType type) {
  return type == c10::kFloat || type == c10::kDouble || type == c10::kBFloat16 ||
         type == c10::kHalf;
}

inline Element element(c10::ScalarType type) {
  switch (type) {
    case c10::kFloat:
      return Element::kFloat;
    case c10::kDouble:
      return Element::kDouble;
    case c10::kBFloat16:
      return Element::kBf16;
    case c10::kHalf:
      return Element::kHalf;
    default:
      TORCH_CHECK(false, "no kernel for ", type);
  }
}

/// True if rows of type x can be used with products of type `product`.
inline bool has_kernel(c10::ScalarType x, c10::ScalarType product) {
  return (x == c10::kFloat &&
          (product == c10::kFloat || product == c10::kBFloat16 || product == c10::kHalf)) ||
         (x == c10::kDouble && product == c10::kDouble);
}

/// A tensor [..., W] as rows of W contiguous elements; copied if they are not. Of three dimensions,
/// `inner` is the second.
struct RowsOf {
  explicit RowsOf(const at::Tensor& t) : tensor(t) {
    if (!t.defined()) {
      return;
    }
    const int64_t width = t.size(-1);
    if (t.stride(-1) != 1 && width != 1) {
      tensor = t.contiguous();
    }
    if (t.dim() == 2) {
      rows = {nullptr, std::max<int64_t>(1, t.size(0)), 0, tensor.stride(0)};
    } else if (t.dim() == 3) {
      rows = {nullptr, std::max<int64_t>(1, t.size(1)), tensor.stride(0), tensor.stride(1)};
    } else {
      tensor = t.contiguous();
      rows = {nullptr, std::max<int64_t>(1, t.numel() / std::max<int64_t>(1, width)), 0, width};
    }
    rows.data = tensor.data_ptr();
  }

  at::Tensor tensor;  ///< keeps the memory until the work is queued
  Rows rows;
};

/// Rows by their bytes.
inline Rows bytes_of(const RowsOf& of) {
  const int64_t size = of.tensor.element_size();
  return {of.rows.data, of.rows.inner, of.rows.outer_stride * size, of.rows.stride * size};
}

/// t's numbers, nullptr for shapes alone: LibTorch's typed pointers refuse those.
template <typename T>
T* numbers(const at::Tensor& t) {
  return static_cast<T*>(t.mutable_data_ptr());
}

inline const void* pointer(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr() : nullptr;
}

}  // namespace lazymar::cuda
