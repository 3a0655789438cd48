#pragma once
/// Keys and values of one attention layer, rows in decoding order.

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace lazymar {

/// Rows [R, N, 2D], keys first; undefined until first stored. Its memory is reused by the next full
/// step and the next batch.
struct KvCache {
  at::Tensor rows;

  int64_t bytes() const { return rows.defined() ? static_cast<int64_t>(rows.nbytes()) : 0; }

  /// Takes rows [first, N) of the first `count` batch rows of `kv` [*, N - first, 2D].
  void store(const at::Tensor& kv, int64_t count, int64_t length, int64_t first) {
    if (!rows.defined() || rows.size(0) != count) {
      rows = at::zeros({count, length, kv.size(2)},
                       kv.options());  // zeros, in case steps are skipped
    }
    rows.narrow(1, first, length - first).copy_(kv.narrow(0, 0, count));
  }

  /// Overwrites rows [first, first + count) with rows [source, source + count) of `kv`.
  void write(const at::Tensor& kv, int64_t source, int64_t first, int64_t count) {
    rows.narrow(1, first, count).copy_(kv.narrow(1, source, count));
  }
};

/// Of several layers.
inline int64_t kept_bytes(const std::vector<KvCache>& caches) {
  int64_t bytes = 0;
  for (const KvCache& cache : caches) {
    bytes += cache.bytes();
  }
  return bytes;
}

}  // namespace lazymar
