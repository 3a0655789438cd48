#pragma once
/// The bytes behind tensors.

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <algorithm>
#include <cstdint>

namespace lazymar {

/// Of the numbers of a tensor; what an expanded one repeats counts once. 0 if it is undefined.
inline int64_t bytes_of(const at::Tensor& t) {
  int64_t numbers = t.defined() ? 1 : 0;
  for (int64_t i = 0; t.defined() && i < t.dim(); ++i) {
    numbers *= t.stride(i) == 0 ? std::min<int64_t>(t.size(i), 1) : t.size(i);
  }
  return t.defined() ? numbers * static_cast<int64_t>(t.element_size()) : 0;
}

/// Calls f with every defined tensor in a value.
template <typename F>
void each_tensor(const c10::IValue& value, const F& f) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) {
      f(value.toTensor());
    }
  } else if (value.isList()) {
    for (const c10::IValue& part : value.toListRef()) {
      each_tensor(part, f);
    }
  }
}

}  // namespace lazymar
