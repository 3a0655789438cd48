#pragma once
/// Records of a few shards, for tests of what is computed from them.

#include <vector>

#include "run/journal.h"

namespace lazymar::testing {

/// A shard of 4 slots that began at `start` and took `seconds`, with `images` kept.
inline ShardRecord shard(double start, double seconds, size_t images = 4) {
  ShardRecord record;
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

/// Five shards of one process: the first, three that are measured, and one that is not full.
inline std::vector<ShardRecord> some_shards() {
  std::vector<ShardRecord> shards{shard(0, 40), shard(41, 8), shard(50, 4), shard(55, 6),
                                  shard(62, 100, 1)};
  shards[0].first = true;
  return shards;
}

}  // namespace lazymar::testing
