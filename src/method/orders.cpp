#include "method/orders.h"

#include <algorithm>

namespace lazymar {
namespace {

/// MAR's: the image's own permutation.
void random_order(std::span<int64_t>) {}

/// Row by row, left to right.
void raster_order(std::span<int64_t> order) {
  sort_by_stage(order, [](int64_t position) { return position; });
}

}  // namespace

Table<Order>& orders() {
  static Table<Order> table("order", {{"random", random_order}, {"raster", raster_order}});
  return table;
}

void sort_by_stage(std::span<int64_t> order, const std::function<int64_t(int64_t)>& stage_of) {
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return stage_of(a) > stage_of(b); });
}

}  // namespace lazymar
