#pragma once
/// Keys and values of one attention layer, rows in decoding order.

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace lazymar {

/// k and v [R, heads, N, head_dim]; undefined until first stored.
struct KvCache {
  at::Tensor k, v;

  /// Takes rows [first, N) of the first `count` batch rows of k and v [*, heads, N - first, *].
  void store(const at::Tensor& new_k, const at::Tensor& new_v, int64_t count, int64_t rows,
             int64_t first) {
    if (!k.defined()) {
      const std::vector<int64_t> shape{count, new_k.size(1), rows, new_k.size(3)};
      k = at::empty(shape, new_k.options());
      v = at::empty(shape, new_v.options());
    }
    k.narrow(2, first, rows - first).copy_(new_k.narrow(0, 0, count));
    v.narrow(2, first, rows - first).copy_(new_v.narrow(0, 0, count));
  }

  /// Overwrites rows [first, first + T) with rows [source, source + T) of new_k and new_v.
  void write(const at::Tensor& new_k, const at::Tensor& new_v, int64_t source, int64_t first,
             int64_t count) {
    k.narrow(2, first, count).copy_(new_k.narrow(2, source, count));
    v.narrow(2, first, count).copy_(new_v.narrow(2, source, count));
  }

  /// Overwrites the rows named by `rows` [R, K], one set per batch row.
  void scatter(const at::Tensor& new_k, const at::Tensor& new_v, const at::Tensor& rows) {
    const at::Tensor index = rows.unsqueeze(1).unsqueeze(-1).expand_as(new_k);
    k.scatter_(2, index, new_k);
    v.scatter_(2, index, new_v);
  }
};

}  // namespace lazymar
