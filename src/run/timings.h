#pragma once
/// Time and work of a run, from the records of its shards.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "run/journal.h"

namespace lazymar {

/// The shards that count for timings: full ones, without each process's first and those that ran
/// out of memory. If there are no others, all of them.
struct MeasuredShards {
  std::vector<const ShardRecord*> shards;  ///< point into the argument
  bool warm_up = false;                    ///< there were no others, so all were taken
};
MeasuredShards measured_shards(std::span<const ShardRecord> shards);

/// Per shard, wall time / images, VAE included, PNG excluded; sorted.
std::vector<double> shard_latencies(const MeasuredShards& measured);

/// Quantile `share` (0 to 1) of sorted values, interpolated linearly; 0 if there are none.
double quantile(std::span<const double> sorted, double share);

/// Median of shard_latencies(), as the originals report it. 0 without a shard.
double seconds_per_image(std::span<const ShardRecord> shards);

/// Seconds per image by stage, means over the measured shards.
struct StageTime {
  std::string_view name;
  double seconds = 0.0;
};
std::array<StageTime, 5> stage_times(std::span<const ShardRecord> shards);

/// Mean cost of one image by decoding step, over the measured shards with this record; empty if
/// there are none (journals of earlier versions).
std::vector<StepCost> step_costs(std::span<const ShardRecord> shards);

/// Work of one computed slot; equal in all shards.
struct WorkPerImage {
  int64_t flops = 0, block_rows = 0, head_rows = 0;
};
WorkPerImage work_per_image(std::span<const ShardRecord> shards);

/// Images on the disk.
int64_t written_images(std::span<const ShardRecord> shards);

/// Seconds from the first shard's beginning to the last one's end, summed over the launches.
double active_seconds(std::span<const ShardRecord> shards);

}  // namespace lazymar
