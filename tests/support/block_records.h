#pragma once
/// Records of a few blocks, for what is computed from them.

#include <vector>

#include "lazymar/run/journal.h"

namespace lazymar::testing {

/// A block of 4 slots that began at `start` and took `seconds`, with `images` kept.
inline BlockRecord block(double start, double seconds, size_t images = 4) {
  BlockRecord record;
  record.launch = "one";
  record.images.resize(images);
  record.slots = 4;
  record.seconds.total = seconds;
  record.seconds.head = seconds / 2;
  record.png_seconds = 1;
  record.finished = start + seconds + record.png_seconds;
  record.steps = {{seconds / 2, 40}, {seconds / 4, 8}};
  record.flops = 400;
  record.block_rows = 40;
  record.head_rows = 20;
  return record;
}

/// Five blocks of one process: the first, three that are measured, and one that is not full.
inline std::vector<BlockRecord> some_blocks() {
  std::vector<BlockRecord> blocks{block(0, 40), block(41, 8), block(50, 4), block(55, 6),
                                  block(62, 100, 1)};
  blocks[0].first = true;
  return blocks;
}

}  // namespace lazymar::testing
