#include "method/head_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace lazymar {
namespace {

/// Evenly strided positions from 0 to `last`; accumulated step by step, as the original does.
std::vector<int64_t> respaced_timesteps(int64_t steps, int64_t last = kTrainingSteps - 1) {
  const double stride =
      steps > 1 ? static_cast<double>(last) / (static_cast<double>(steps) - 1.0) : 1;
  std::vector<int64_t> timesteps;
  double position = 0.0;
  for (int64_t i = 0; i < steps; ++i) {
    timesteps.push_back(std::lrint(position));  // half to even, as Python's round
    position += stride;
  }
  return timesteps;
}

/// last (i / (T - 1))^2: dense where the image takes its last shape.
std::vector<int64_t> quadratic_timesteps(int64_t steps, int64_t last) {
  std::vector<int64_t> timesteps;
  for (int64_t i = 0; i < steps; ++i) {
    const double share = steps > 1 ? static_cast<double>(i) / static_cast<double>(steps - 1) : 0;
    timesteps.push_back(std::lrint(static_cast<double>(last) * share * share));
  }
  return timesteps;
}

std::vector<int64_t> spread_timesteps(const HeadSegment& segment) {
  if (segment.spacing == "mar") {
    return respaced_timesteps(segment.steps);
  }
  if (segment.spacing == "even") {
    return respaced_timesteps(segment.steps, segment.last_timestep);
  }
  if (segment.spacing == "quadratic") {
    return quadratic_timesteps(segment.steps, segment.last_timestep);
  }
  throw usage_error("head: spacing \"", segment.spacing, "\": use mar, even or quadratic");
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

/// (U - s) / U, to the bit as released.
double linear(int64_t step, int64_t last) {
  return static_cast<double>(last - step) / static_cast<double>(last);
}

double cosine(int64_t step, int64_t last) {
  const double share = std::numbers::pi * static_cast<double>(step) / static_cast<double>(last);
  return (std::cos(share) + 1) / 2;
}

double two_stage(int64_t step, int64_t last) {
  return 2 * step < last ? 1 : 0;
}

}  // namespace

Table<HeadCurve>& head_curves() {
  static Table<HeadCurve> table("curve of --head_steps",
                                {{"linear", linear}, {"cosine", cosine}, {"two-stage", two_stage}});
  return table;
}

int64_t annealed_steps(const HeadSegment& segment, int64_t step, int64_t last) {
  if (segment.to_steps == 0 || last == 0) {
    return segment.steps;
  }
  const double left = head_curves().at(segment.curve).left(step, last);
  return segment.to_steps +
         static_cast<int64_t>(left * static_cast<double>(segment.steps - segment.to_steps));
}

HeadSchedule make_head_schedule(const HeadSegment& segment, NoiseKeys keys) {
  if (segment.steps < 1 || segment.steps > kTrainingSteps) {
    throw setting_error("num_sampling_steps", " ", segment.steps, ": must be between 1 and ",
                        kTrainingSteps);
  }
  if (segment.last_timestep < 0 || segment.last_timestep >= kTrainingSteps) {
    throw usage_error("head: last_timestep ", segment.last_timestep, ": must be between 0 and ",
                      kTrainingSteps - 1);
  }
  std::vector<int64_t> timesteps = spread_timesteps(segment);
  for (int64_t& t : timesteps) {
    t = std::min(t, segment.last_timestep);
  }
  timesteps.erase(std::unique(timesteps.begin(), timesteps.end()), timesteps.end());
  std::vector<int64_t> noise_keys = keys_of(timesteps, keys);
  return {segment.solver, std::move(timesteps), std::move(noise_keys)};
}

}  // namespace lazymar
