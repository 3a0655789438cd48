#include "run/timings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

namespace lazymar {
namespace {

bool is_full(const ShardRecord& shard) {
  return static_cast<int64_t>(shard.images.size()) == shard.slots;
}

}  // namespace

MeasuredShards measured_shards(std::span<const ShardRecord> shards) {
  MeasuredShards measured;
  for (const ShardRecord& shard : shards) {
    if (!shard.first && !shard.micro_batch && is_full(shard)) {
      measured.shards.push_back(&shard);
    }
  }
  if (measured.shards.empty()) {
    measured.warm_up = true;
    for (const ShardRecord& shard : shards) {
      measured.shards.push_back(&shard);
    }
  }
  return measured;
}

std::vector<double> shard_latencies(const MeasuredShards& measured) {
  std::vector<double> seconds;
  for (const ShardRecord* shard : measured.shards) {
    seconds.push_back(shard->seconds.total / static_cast<double>(shard->slots));
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

double seconds_per_image(std::span<const ShardRecord> shards) {
  return quantile(shard_latencies(measured_shards(shards)), 0.5);
}

std::array<StageTime, 5> stage_times(std::span<const ShardRecord> shards) {
  std::array<StageTime, 5> stages{{{"encoder"}, {"decoder"}, {"head"}, {"vae"}, {"png"}}};
  double images = 0;
  for (const ShardRecord* shard : measured_shards(shards).shards) {
    const StageSeconds& s = shard->seconds;
    const std::array<double, 5> seconds{s.encoder, s.decoder, s.head, s.vae, shard->png_seconds};
    for (size_t i = 0; i < stages.size(); ++i) {
      stages[i].seconds += seconds[i];
    }
    images += static_cast<double>(shard->slots);
  }
  for (StageTime& stage : stages) {
    stage.seconds = images > 0 ? stage.seconds / images : 0.0;
  }
  return stages;
}

std::vector<StepCost> step_costs(std::span<const ShardRecord> shards) {
  std::vector<StepCost> costs;
  int64_t images = 0;
  for (const ShardRecord* shard : measured_shards(shards).shards) {
    if (!shard->steps.empty() && (costs.empty() || shard->steps.size() == costs.size())) {
      add_steps(costs, shard->steps);
      images += shard->slots;
    }
  }
  if (images == 0) {
    return costs;
  }
  for (StepCost& cost : costs) {
    cost.seconds /= static_cast<double>(images);
    cost.flops /= images;
  }
  return costs;
}

WorkPerImage work_per_image(std::span<const ShardRecord> shards) {
  if (shards.empty()) {
    return {};
  }
  const ShardRecord& shard = shards.front();
  return {shard.flops / shard.slots, shard.block_rows / shard.slots, shard.head_rows / shard.slots};
}

int64_t written_images(std::span<const ShardRecord> shards) {
  int64_t images = 0;
  for (const ShardRecord& shard : shards) {
    images += static_cast<int64_t>(shard.images.size());
  }
  return images;
}

double active_seconds(std::span<const ShardRecord> shards) {
  std::map<std::string, std::pair<double, double>> launches;
  for (const ShardRecord& shard : shards) {
    const double started = shard.finished - shard.png_seconds - shard.seconds.total;
    auto& [first, last] = launches.try_emplace(shard.launch, started, shard.finished).first->second;
    first = std::min(first, started);
    last = std::max(last, shard.finished);
  }
  double seconds = 0;
  for (const auto& [launch, times] : launches) {
    seconds += times.second - times.first;
  }
  return seconds;
}

}  // namespace lazymar
