#pragma once
/// What the records of a run's shards say about time and work.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "run/journal.h"

namespace lazymar {

/// The shards that are measured: the full ones, without the first of every process and without
/// those made while memory was short. With nothing but such, all of them.
struct MeasuredShards {
  std::vector<const ShardRecord*> shards;  ///< point into what was given
  bool warm_up = false;                    ///< all had to be taken
};
MeasuredShards measured_shards(std::span<const ShardRecord> shards);

/// Per shard, wall time / images, VAE included, PNG excluded; sorted.
std::vector<double> shard_latencies(const MeasuredShards& measured);

/// Value at `share` (0 to 1) of sorted values, linear between the neighbours; 0 without a value.
double quantile(std::span<const double> sorted, double share);

/// Median of shard_latencies(): the originals' figure. 0 without a shard.
double seconds_per_image(std::span<const ShardRecord> shards);

/// Seconds per image by stage, means over the measured shards.
struct StageTime {
  std::string_view name;
  double seconds = 0.0;
};
std::array<StageTime, 5> stage_times(std::span<const ShardRecord> shards);

/// Mean cost of one image by decoding step, over the measured shards that tell; empty where none
/// does (journals of earlier versions).
std::vector<StepCost> step_costs(std::span<const ShardRecord> shards);

/// Work of one computed slot; all shards do the same.
struct WorkPerImage {
  int64_t flops = 0, block_rows = 0, head_rows = 0;
};
WorkPerImage work_per_image(std::span<const ShardRecord> shards);

/// Images on the disk.
int64_t written_images(std::span<const ShardRecord> shards);

/// Seconds in which shards were made, summed over the launches, from the first shard's beginning to
/// the last one's end.
double active_seconds(std::span<const ShardRecord> shards);

}  // namespace lazymar
