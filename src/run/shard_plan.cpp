#include "run/shard_plan.h"

#include <algorithm>
#include <array>
#include <bit>

namespace lazymar {
namespace {

constexpr int64_t kTenths = 10;
/// The order of tenths with equally many images: distant ones follow each other.
constexpr std::array<size_t, kTenths> kTurns{0, 5, 2, 7, 4, 9, 1, 6, 3, 8};

/// 0 .. count - 1, by their binary digits read backwards.
std::vector<int64_t> bit_reversed(int64_t count) {
  const int digits = std::bit_width(static_cast<uint64_t>(std::max<int64_t>(count - 1, 1)));
  std::vector<int64_t> order;
  for (int64_t i = 0; i < int64_t{1} << digits; ++i) {
    int64_t reversed = 0;
    for (int digit = 0; digit < digits; ++digit) {
      reversed |= ((i >> digit) & 1) << (digits - 1 - digit);
    }
    if (reversed < count) {
      order.push_back(reversed);
    }
  }
  return order;
}

}  // namespace

ShardIds ShardPlan::ids(int64_t shard) const {
  const int64_t first = shard * shard_size_;
  return {first, std::min(shard_size_, num_images_ - first)};
}

std::vector<int64_t> ShardPlan::visiting_order() const {
  struct Tenth {
    std::vector<int64_t> shards;  ///< in the order to visit them
    size_t visited = 0;
    int64_t images = 0;  ///< in visited shards, times ten, so that it is a whole number
  };
  std::array<Tenth, kTenths> tenths;
  for (int64_t tenth = 0; tenth < kTenths; ++tenth) {
    const int64_t begin = tenth * shards() / kTenths;
    const int64_t end = (tenth + 1) * shards() / kTenths;
    for (const int64_t offset : bit_reversed(end - begin)) {
      tenths[static_cast<size_t>(tenth)].shards.push_back(begin + offset);
    }
  }
  std::vector<int64_t> order;
  while (order.size() < static_cast<size_t>(shards())) {
    Tenth* next = nullptr;
    for (const size_t turn : kTurns) {
      Tenth& tenth = tenths[turn];
      const bool open = tenth.visited < tenth.shards.size();
      if (open && (next == nullptr || tenth.images < next->images)) {
        next = &tenth;
      }
    }
    const int64_t shard = next->shards[next->visited++];
    order.push_back(shard);
    // A shard at a border has images in two tenths.
    const ShardIds part = ids(shard);
    for (int64_t tenth = 0; tenth < kTenths; ++tenth) {
      const int64_t from = std::max(kTenths * part.first, tenth * num_images_);
      const int64_t to = std::min(kTenths * (part.first + part.count), (tenth + 1) * num_images_);
      tenths[static_cast<size_t>(tenth)].images += std::max<int64_t>(0, to - from);
    }
  }
  return order;
}

std::vector<int64_t> ShardPlan::visiting_order(int64_t rank, int64_t size) const {
  const std::vector<int64_t> all = visiting_order();
  std::vector<int64_t> order;
  for (int64_t stride = 0; stride < size; ++stride) {
    for (auto i = static_cast<size_t>((rank + stride) % size); i < all.size();
         i += static_cast<size_t>(size)) {
      order.push_back(all[i]);
    }
  }
  return order;
}

}  // namespace lazymar
