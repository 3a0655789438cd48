#pragma once
/// A row's norm, inside a kernel.

#include "cuda/rows.h"

namespace lazymar::cuda {

/// The row to norm; if it is a sum, reading it also stores it.
template <typename X, typename Y, int kPack>
struct NormSource {
  __device__ NormSource(const NormArguments& a, int64_t row, int64_t width)
      : x(row_of<X>(a.x, row)),
        added(a.added.data != nullptr ? row_of<Y>(a.added, row) : nullptr),
        sum(static_cast<X*>(a.sum) + row * width) {}

  __device__ Pack<X, kPack> read(int64_t i) const {
    auto pack = load<kPack>(x + i);
    if (added != nullptr) {
      const auto more = load<kPack>(added + i);
      for (int j = 0; j < kPack; ++j) {
        pack.v[j] += static_cast<X>(widened(more.v[j]));
      }
      store<kPack>(sum + i, pack);
    }
    return pack;
  }
  /// The same element, once the thread has read it.
  __device__ Pack<X, kPack> again(int64_t i) const {
    return load<kPack>((added != nullptr ? sum : x) + i);
  }

  const X* x;
  const Y* added;
  X* sum;
};

/// Applies a row's mean and 1 / deviation to its elements.
template <typename X, typename Y, int kPack>
struct NormedRow {
  __device__ NormedRow(const NormArguments& a, int64_t row, Y* to)
      : weight(static_cast<const X*>(a.weight)),
        bias(static_cast<const X*>(a.bias)),
        shift(a.shift.data != nullptr ? row_of<Y>(a.shift, row) : nullptr),
        scale(a.shift.data != nullptr ? row_of<Y>(a.scale, row) : nullptr),
        out(to) {}

  __device__ void write(int64_t i, Pack<X, kPack> value, X mean, X factor) const {
    for (int j = 0; j < kPack; ++j) {
      value.v[j] = (value.v[j] - mean) * factor;
    }
    if (weight != nullptr) {
      const auto by = load<kPack>(weight + i);
      for (int j = 0; j < kPack; ++j) {
        value.v[j] *= by.v[j];
      }
    }
    if (bias != nullptr) {
      const auto by = load<kPack>(bias + i);
      for (int j = 0; j < kPack; ++j) {
        value.v[j] += by.v[j];
      }
    }
    if (shift != nullptr) {
      const auto by = load<kPack>(scale + i);
      const auto add = load<kPack>(shift + i);
      for (int j = 0; j < kPack; ++j) {
        value.v[j] = value.v[j] * (X{1} + widened(by.v[j])) + widened(add.v[j]);
      }
    }
    Pack<Y, kPack> narrow;
    for (int j = 0; j < kPack; ++j) {
      narrow.v[j] = Narrow<Y>::of(value.v[j]);
    }
    store<kPack>(out + i, narrow);
  }

  const X *weight, *bias;
  const Y *shift, *scale;
  Y* out;
};

/// The norm of a row by `threads` threads; the caller is number `thread`. The row is read once:
/// each thread holds up to kHeld packs. all_sum(x): the sum of all threads' x, in each thread.
template <int kHeld, typename X, typename Y, int kPack, typename AllSum>
__device__ inline void norm_held(const NormSource<X, Y, kPack>& source,
                                 const NormedRow<X, Y, kPack>& normed, int64_t width, double eps,
                                 int64_t thread, int64_t threads, const AllSum& all_sum) {
  const auto place = [&](int k) { return (k * threads + thread) * kPack; };
  Pack<X, kPack> held[kHeld];
  X sum = 0;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) {
    if (place(k) < width) {
      held[k] = source.read(place(k));
      for (int j = 0; j < kPack; ++j) {
        sum += held[k].v[j];
      }
    }
  }
  const X mean = all_sum(sum) / static_cast<X>(width);
  X squares = 0;
#pragma unroll
  for (int k = 0; k < kHeld; ++k) {
    for (int j = 0; j < kPack && place(k) < width; ++j) {
      squares += (held[k].v[j] - mean) * (held[k].v[j] - mean);
    }
  }
  const X variance = all_sum(squares) / static_cast<X>(width);
  const X factor = X{1} / root(variance + static_cast<X>(eps));
#pragma unroll
  for (int k = 0; k < kHeld; ++k) {
    if (place(k) < width) {
      normed.write(place(k), held[k], mean, factor);
    }
  }
}

}  // namespace lazymar::cuda
