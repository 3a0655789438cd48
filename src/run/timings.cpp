#include "lazymar/run/timings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

namespace lazymar {
namespace {

bool is_full(const BlockRecord& block) {
  return static_cast<int64_t>(block.images.size()) == block.slots;
}

}  // namespace

MeasuredBlocks measured_blocks(std::span<const BlockRecord> blocks) {
  MeasuredBlocks measured;
  for (const BlockRecord& block : blocks) {
    if (!block.first && !block.micro_batch && is_full(block)) {
      measured.blocks.push_back(&block);
    }
  }
  if (measured.blocks.empty()) {
    measured.warm_up = true;
    for (const BlockRecord& block : blocks) {
      measured.blocks.push_back(&block);
    }
  }
  return measured;
}

std::vector<double> block_latencies(const MeasuredBlocks& measured) {
  std::vector<double> seconds;
  for (const BlockRecord* block : measured.blocks) {
    seconds.push_back(block->seconds.total / static_cast<double>(block->slots));
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

double quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) {
    return 0.0;
  }
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

double seconds_per_image(std::span<const BlockRecord> blocks) {
  return quantile(block_latencies(measured_blocks(blocks)), 0.5);
}

std::array<StageTime, 5> stage_times(std::span<const BlockRecord> blocks) {
  std::array<StageTime, 5> stages{{{"encoder"}, {"decoder"}, {"head"}, {"vae"}, {"png"}}};
  double images = 0;
  for (const BlockRecord* block : measured_blocks(blocks).blocks) {
    const StageSeconds& s = block->seconds;
    const std::array<double, 5> seconds{s.encoder, s.decoder, s.head, s.vae, block->png_seconds};
    for (size_t i = 0; i < stages.size(); ++i) {
      stages[i].seconds += seconds[i];
    }
    images += static_cast<double>(block->slots);
  }
  for (StageTime& stage : stages) {
    stage.seconds = images > 0 ? stage.seconds / images : 0.0;
  }
  return stages;
}

std::vector<StepCost> step_costs(std::span<const BlockRecord> blocks) {
  std::vector<StepCost> costs;
  int64_t images = 0;
  for (const BlockRecord* block : measured_blocks(blocks).blocks) {
    if (!block->steps.empty() && (costs.empty() || block->steps.size() == costs.size())) {
      add_steps(costs, block->steps);
      images += block->slots;
    }
  }
  for (StepCost& cost : costs) {
    cost.seconds /= static_cast<double>(images);
    cost.flops /= images;
  }
  return costs;
}

WorkPerImage work_per_image(std::span<const BlockRecord> blocks) {
  if (blocks.empty()) {
    return {};
  }
  const BlockRecord& block = blocks.front();
  return {block.flops / block.slots, block.block_rows / block.slots, block.head_rows / block.slots};
}

int64_t written_images(std::span<const BlockRecord> blocks) {
  int64_t images = 0;
  for (const BlockRecord& block : blocks) {
    images += static_cast<int64_t>(block.images.size());
  }
  return images;
}

double active_seconds(std::span<const BlockRecord> blocks) {
  std::map<std::string, std::pair<double, double>> launches;
  for (const BlockRecord& block : blocks) {
    const double started = block.finished - block.png_seconds - block.seconds.total;
    auto& [first, last] = launches.try_emplace(block.launch, started, block.finished).first->second;
    first = std::min(first, started);
    last = std::max(last, block.finished);
  }
  double seconds = 0;
  for (const auto& [launch, times] : launches) {
    seconds += times.second - times.first;
  }
  return seconds;
}

}  // namespace lazymar
