#pragma once
/// Orders: which of an image's tokens are decoded when.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/table.h"

namespace lazymar {

/// An order for images of one length.
struct TokenOrder {
  /// Rearranges an image's own random permutation of 0 .. L - 1: the raster position of each row.
  /// While m tokens are masked these are rows [0, m), so the last row is decoded first. The result
  /// is a permutation as well.
  std::function<void(std::span<int64_t>)> arrange;
  std::vector<int64_t> stages;  ///< tokens of each stage, the first to be decoded first
};

/// A row of the table of orders.
struct Order {
  std::string_view name;
  /// For images of `length` tokens. `argument`: the text behind "name:", or empty. Throws Error
  /// (usage) if the order has no such argument, or does not exist for this length.
  TokenOrder (*make)(int64_t length, const std::string& argument);
};

Table<Order>& orders();

/// The order that a text such as "random", "halton:rolled" or "checkerboard:3" names.
TokenOrder make_order(const std::string& text, int64_t length);

/// `text`, or, if it is no order but names a file of raster positions (decoded first to last, split
/// by spaces, lines or commas), "list:" and these. Throws Error (usage) for anything else.
std::string order_text(const std::string& text);

/// Sorts so that lower stages are decoded first; stage_of(raster position) -> stage. The sort is
/// stable: a stage keeps the image's own order, so a single stage changes nothing.
void sort_by_stage(std::span<int64_t> order, const std::function<int64_t(int64_t)>& stage_of);

/// Decodes by stages, each in the image's own order.
TokenOrder staged_order(int64_t length, const std::function<int64_t(int64_t)>& stage_of);

/// Decodes `positions` first to last, whatever the image. `name`: for messages. Throws Error
/// (usage) unless it is a permutation of 0 .. length - 1.
TokenOrder fixed_order(const std::string& name, int64_t length, std::vector<int64_t> positions);

/// The side of a square of `length` tokens; throws Error (usage) for an order that needs one.
int64_t side_of_square(const std::string& order, int64_t length);

/// Throws Error (usage) if there is an argument.
void refuse_argument(const std::string& order, const std::string& argument);

}  // namespace lazymar
