#pragma once
/// The unit of work: blocks of consecutive image ids, and the order in which a run visits them.

#include <cstdint>
#include <vector>

namespace lazymar {

/// Image ids [first, first + count).
struct BlockIds {
  int64_t first = 0;
  int64_t count = 0;
};

/// A set of images cut into blocks of `block_size` ids; only the last one may be shorter.
class BlockPlan {
 public:
  BlockPlan(int64_t num_images, int64_t block_size)
      : num_images_(num_images), block_size_(block_size) {}

  int64_t num_images() const { return num_images_; }
  int64_t block_size() const { return block_size_; }
  int64_t blocks() const { return (num_images_ + block_size_ - 1) / block_size_; }
  BlockIds ids(int64_t block) const;

  /// Every block once: next comes the tenth of the set with the fewest images so far, and within a
  /// tenth the blocks in bit-reversed order. Labels are sorted, so that whatever was made when a
  /// run is stopped is spread over the classes: after any number of blocks the images per tenth
  /// differ by at most two blocks. (Bit reversal alone drifts up to four apart: a tenth is no power
  /// of two.)
  std::vector<int64_t> visiting_order() const;

  /// The same blocks as one of `size` processes tries them: its own stride of the order first, then
  /// the strides of the others.
  std::vector<int64_t> visiting_order(int64_t rank, int64_t size) const;

 private:
  int64_t num_images_;
  int64_t block_size_;
};

}  // namespace lazymar
