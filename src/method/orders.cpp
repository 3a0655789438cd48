#include "method/orders.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "core/text.h"
#include "method/halton_order.h"

namespace lazymar {
namespace {

/// MAR's: the image's own permutation.
TokenOrder random_order(int64_t length, const std::string& argument) {
  refuse_argument("random", argument);
  return {[](std::span<int64_t>) {}, {length}};
}

/// Row by row, as one reads.
TokenOrder raster_order(int64_t length, const std::string& argument) {
  refuse_argument("raster", argument);
  std::vector<int64_t> positions(static_cast<size_t>(length));
  std::iota(positions.begin(), positions.end(), 0);
  return fixed_order("raster", length, std::move(positions));
}

/// GtR's (arXiv:2510.17171): K stages. The last one decodes the diagonals i + j odd, the one before
/// those with i + j = 2 (mod 4), then 4 (mod 8), and so on; the first decodes what is left. Within
/// a stage the image's own order stays.
TokenOrder checkerboard_order(int64_t length, const std::string& argument) {
  constexpr int64_t kMostStages = 16;
  const int64_t stages = parse_index(argument);
  if (stages < 1 || stages > kMostStages) {
    throw usage_error("order checkerboard:", argument, ": use checkerboard:K with 1 to ",
                      kMostStages, " stages K");
  }
  const int64_t side = side_of_square("checkerboard", length);
  return staged_order(length, [side, stages](int64_t position) {
    const int64_t diagonal = position / side + position % side;
    int64_t halvings = 0;
    while (halvings < stages - 1 && (diagonal >> halvings) % 2 == 0) {
      ++halvings;
    }
    return stages - 1 - halvings;
  });
}

/// Every second row and column, then those between, and so within each part (the permuter
/// "Subsample" of VQGAN, github CompVis/taming-transformers).
TokenOrder subsample_order(int64_t length, const std::string& argument) {
  refuse_argument("subsample", argument);
  const int64_t side = side_of_square("subsample", length);
  if ((side & (side - 1)) != 0) {
    throw usage_error("order subsample: ", side, "x", side,
                      " tokens: the side must be a power of two; use another order");
  }
  std::vector<int64_t> positions(static_cast<size_t>(length));
  for (int64_t position = 0; position < length; ++position) {
    int64_t rank = 0;
    for (int64_t bit = 1; bit < side; bit *= 2) {
      rank = 4 * rank + position / side / bit % 2 * 2 + position % side / bit % 2;
    }
    positions[static_cast<size_t>(rank)] = position;
  }
  return fixed_order("subsample", length, std::move(positions));
}

/// Raster positions as given.
TokenOrder list_order(int64_t length, const std::string& argument) {
  std::vector<int64_t> positions;
  for (const std::string& part : split(argument, ',')) {
    positions.push_back(parse_index(part));
  }
  return fixed_order("list", length, std::move(positions));
}

}  // namespace

Table<Order>& orders() {
  static Table<Order> table("order", {{"random", random_order},
                                      {"raster", raster_order},
                                      {"halton", halton_order},
                                      {"checkerboard", checkerboard_order},
                                      {"subsample", subsample_order},
                                      {"list", list_order}});
  return table;
}

TokenOrder make_order(const std::string& text, int64_t length) {
  const size_t colon = text.find(':');
  return orders()
      .at(text.substr(0, colon))
      .make(length, colon == std::string::npos ? "" : text.substr(colon + 1));
}

std::string order_text(const std::string& text) {
  const std::string name = text.substr(0, text.find(':'));
  const auto is_name = [&](const Order& order) { return order.name == name; };
  if (std::any_of(orders().rows().begin(), orders().rows().end(), is_name)) {
    return text;
  }
  if (std::error_code failed; std::filesystem::is_directory(text, failed)) {
    throw usage_error(text, ": is a folder; name a file with the tokens' numbers");
  }
  std::ifstream file(text);
  if (!file && text.find_first_of("/.") != std::string::npos) {
    throw usage_error(text, ": no such file; name one with the tokens' numbers, or an order");
  }
  if (!file) {
    (void)orders().at(name);
  }
  std::string content{std::istreambuf_iterator<char>(file), {}};
  std::replace_if(
      content.begin(), content.end(), [](char c) { return c == ',' || c == '\n'; }, ' ');
  std::string list;
  for (const std::string& word : split(content, ' ')) {
    if (word.empty() || word == "\r") {
      continue;
    }
    if (parse_index(word) < 0) {
      throw usage_error(text, ": \"", word.substr(0, 20),
                        "\" is not a token's number; write those from 0 in decoding order");
    }
    list += concat(list.empty() ? "list:" : ",", word);
  }
  if (list.empty()) {
    throw usage_error(text, ": is empty; write the tokens' numbers from 0 in decoding order");
  }
  return list;
}

void sort_by_stage(std::span<int64_t> order, const std::function<int64_t(int64_t)>& stage_of) {
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return stage_of(a) > stage_of(b); });
}

TokenOrder staged_order(int64_t length, const std::function<int64_t(int64_t)>& stage_of) {
  std::map<int64_t, int64_t> sizes;
  for (int64_t position = 0; position < length; ++position) {
    ++sizes[stage_of(position)];
  }
  TokenOrder order{[stage_of](std::span<int64_t> of) { sort_by_stage(of, stage_of); }, {}};
  for (const auto& [stage, size] : sizes) {
    order.stages.push_back(size);
  }
  return order;
}

TokenOrder fixed_order(const std::string& name, int64_t length, std::vector<int64_t> positions) {
  std::vector<int64_t> sorted = positions;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(static_cast<size_t>(length));
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) {
    throw usage_error("order ", name, ": its ", positions.size(), " numbers are not each of 0 to ",
                      length - 1, " once; list every token once");
  }
  return {[positions = std::move(positions)](std::span<int64_t> order) {
            std::copy(positions.rbegin(), positions.rend(), order.begin());
          },
          {length}};
}

int64_t side_of_square(const std::string& order, int64_t length) {
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(length))));
  if (side * side != length) {
    throw usage_error("order ", order, ": ", length,
                      " tokens are not a square; use random, raster or a file");
  }
  return side;
}

void refuse_argument(const std::string& order, const std::string& argument) {
  if (!argument.empty()) {
    throw usage_error("order ", order, ":", argument, ": ", order, " takes no argument; leave it",
                      " out");
  }
}

}  // namespace lazymar
