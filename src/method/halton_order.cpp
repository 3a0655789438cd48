#include "method/halton_order.h"

#include <algorithm>
#include <utility>

namespace lazymar {
namespace {

constexpr int64_t kPoints = 10000;

/// Element i of the Halton sequence of this base, times `side`, rounded down. With integers, so
/// that no rounding moves a point that lies on a border.
int64_t cell(int64_t i, int64_t base, int64_t side) {
  int64_t numerator = 0;
  int64_t denominator = 1;
  for (; i > 0; i /= base) {
    numerator = numerator * base + i % base;
    denominator *= base;
  }
  return numerator * side / denominator;
}

std::vector<int64_t> visited_cells(int64_t side) {
  std::vector<int64_t> cells;
  std::vector<bool> seen(static_cast<size_t>(side * side));
  for (int64_t i = 1; i <= kPoints; ++i) {
    const int64_t position = cell(i, 2, side) * side + cell(i, 3, side);
    if (!seen[static_cast<size_t>(position)]) {
      seen[static_cast<size_t>(position)] = true;
      cells.push_back(position);
    }
  }
  return cells;
}

}  // namespace

TokenOrder halton_order(int64_t length, const std::string& argument) {
  if (!argument.empty() && argument != "rolled") {
    throw usage_error("order halton:", argument, ": use halton or halton:rolled");
  }
  const int64_t side = side_of_square("halton", length);
  std::vector<int64_t> cells = visited_cells(side);
  if (static_cast<int64_t>(cells.size()) < length) {
    throw usage_error("order halton: ", kPoints, " points do not meet all ", length,
                      " tokens; use another order");
  }
  if (argument.empty()) {
    return fixed_order("halton", length, std::move(cells));
  }
  return {[cells = std::move(cells)](std::span<int64_t> order) {
            // The first of a random permutation is a random number; roll() as NumPy and torch do.
            std::vector<int64_t> rolled = cells;
            std::rotate(rolled.rbegin(), rolled.rbegin() + order.front(), rolled.rend());
            std::copy(rolled.rbegin(), rolled.rend(), order.begin());
          },
          {length}};
}

}  // namespace lazymar
