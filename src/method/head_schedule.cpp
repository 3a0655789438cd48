#include "method/head_schedule.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace lazymar {
namespace {

/// Evenly strided positions; accumulated step by step, as the original does.
std::vector<int64_t> respaced_timesteps(int64_t steps) {
  const double stride = steps > 1 ? (kTrainingSteps - 1.0) / (static_cast<double>(steps) - 1.0) : 1;
  std::vector<int64_t> timesteps;
  double position = 0.0;
  for (int64_t i = 0; i < steps; ++i) {
    timesteps.push_back(std::lrint(position));  // half to even, as Python's round
    position += stride;
  }
  return timesteps;
}

std::vector<int64_t> keys_of(const std::vector<int64_t>& timesteps, NoiseKeys keys) {
  static const std::vector<int64_t> standard = respaced_timesteps(HeadSegment().steps);
  std::vector<int64_t> list;
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const auto found = std::lower_bound(standard.begin(), standard.end(), timesteps[i]);
    const bool shared = found != standard.end() && *found == timesteps[i];
    list.push_back(keys == NoiseKeys::kIndex ? static_cast<int64_t>(i)
                   : shared                  ? found - standard.begin()
                                             : kTrainingSteps + timesteps[i]);
  }
  return list;
}

}  // namespace

HeadSchedule make_head_schedule(const HeadSegment& segment, NoiseKeys keys) {
  if (segment.steps < 1 || segment.steps > kTrainingSteps) {
    throw setting_error("num_sampling_steps", " ", segment.steps, ": must be between 1 and ",
                        kTrainingSteps);
  }
  if (segment.last_timestep < 0 || segment.last_timestep >= kTrainingSteps) {
    throw usage_error("head: last_timestep ", segment.last_timestep, ": must be between 0 and ",
                      kTrainingSteps - 1);
  }
  std::vector<int64_t> timesteps = respaced_timesteps(segment.steps);
  for (int64_t& t : timesteps) {
    t = std::min(t, segment.last_timestep);
  }
  timesteps.erase(std::unique(timesteps.begin(), timesteps.end()), timesteps.end());
  std::vector<int64_t> noise_keys = keys_of(timesteps, keys);
  return {segment.solver, std::move(timesteps), std::move(noise_keys)};
}

}  // namespace lazymar
