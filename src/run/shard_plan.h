#pragma once
/// The unit of work: shards of consecutive image ids, and the order in which a run visits them.

#include <cstdint>
#include <vector>

namespace lazymar {

/// Image ids [first, first + count).
struct ShardIds {
  int64_t first = 0;
  int64_t count = 0;
};

/// A set of images cut into shards of `shard_size` ids; only the last one may be shorter.
class ShardPlan {
 public:
  ShardPlan(int64_t num_images, int64_t shard_size)
      : num_images_(num_images), shard_size_(shard_size) {}

  int64_t num_images() const { return num_images_; }
  int64_t shard_size() const { return shard_size_; }
  int64_t shards() const { return (num_images_ + shard_size_ - 1) / shard_size_; }
  ShardIds ids(int64_t shard) const;

  /// Every shard once. Next comes the tenth of the set with the fewest images so far; within a
  /// tenth, shards are in bit-reversed order. As labels are sorted, an unfinished run is spread
  /// over the classes: after any number of shards, the images per tenth differ by at most two
  /// shards. (With bit reversal only, they differ by up to four, because a tenth is not a power of
  /// two.)
  std::vector<int64_t> visiting_order() const;

  /// The order in which one of `size` processes tries the shards: first its own stride of the
  /// order, then the strides of the others.
  std::vector<int64_t> visiting_order(int64_t rank, int64_t size) const;

 private:
  int64_t num_images_;
  int64_t shard_size_;
};

}  // namespace lazymar
