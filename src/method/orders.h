#pragma once
/// Orders: which of an image's tokens are decoded when.

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "core/table.h"

namespace lazymar {

/// A row of the table of orders.
struct Order {
  std::string_view name;
  /// Rearranges `order`, which holds the image's own random permutation of 0 .. L - 1: the raster
  /// position of each row. While m tokens are masked, they are rows [0, m), so the last row is
  /// decoded first. The result is a permutation as well.
  void (*arrange)(std::span<int64_t> order);
};

Table<Order>& orders();

/// Sorts so that lower stages are decoded first; stage_of(raster position) -> stage. The sort is
/// stable: a stage keeps the image's own order, so a single stage changes nothing.
void sort_by_stage(std::span<int64_t> order, const std::function<int64_t(int64_t)>& stage_of);

}  // namespace lazymar
