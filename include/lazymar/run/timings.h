#pragma once
/// What the records of a run's blocks say about time and work.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lazymar/run/journal.h"

namespace lazymar {

/// The blocks that are measured: the full ones, without the first of every process and without
/// those made while memory was short. With nothing but such, all of them.
struct MeasuredBlocks {
  std::vector<const BlockRecord*> blocks;  ///< point into what was given
  bool warm_up = false;                    ///< all had to be taken
};
MeasuredBlocks measured_blocks(std::span<const BlockRecord> blocks);

/// Per block, wall time / images, VAE included, PNG excluded; sorted.
std::vector<double> block_latencies(const MeasuredBlocks& measured);

/// Value at `share` (0 to 1) of sorted values, linear between the neighbours; 0 without a value.
double quantile(std::span<const double> sorted, double share);

/// Median of block_latencies(): the originals' figure. 0 without a block.
double seconds_per_image(std::span<const BlockRecord> blocks);

/// Seconds per image by stage, means over the measured blocks.
struct StageTime {
  std::string_view name;
  double seconds = 0.0;
};
std::array<StageTime, 5> stage_times(std::span<const BlockRecord> blocks);

/// Mean cost of one image by decoding step, over the measured blocks that tell; empty where none
/// does (journals of earlier versions).
std::vector<StepCost> step_costs(std::span<const BlockRecord> blocks);

/// Work of one computed slot; all blocks do the same.
struct WorkPerImage {
  int64_t flops = 0, block_rows = 0, head_rows = 0;
};
WorkPerImage work_per_image(std::span<const BlockRecord> blocks);

/// Images on the disk.
int64_t written_images(std::span<const BlockRecord> blocks);

/// Seconds in which blocks were made, summed over the launches, from the first block's beginning to
/// the last one's end.
double active_seconds(std::span<const BlockRecord> blocks);

}  // namespace lazymar
