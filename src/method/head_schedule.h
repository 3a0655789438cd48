#pragma once
/// One diffusion process of the head: its timesteps, and the keys of its noise.

#include <cstdint>
#include <string>
#include <vector>

#include "method/decoding_method.h"

namespace lazymar {

struct HeadSchedule {
  std::string solver;
  std::vector<int64_t> timesteps;  ///< [T] of the 1000, ascending; sampling runs from last to first
  std::vector<int64_t> noise_keys;  ///< [T]: the number that keys a diffusion step's noise

  bool operator==(const HeadSchedule&) const = default;
  int64_t steps() const { return static_cast<int64_t>(timesteps.size()); }
};

/// What keys the noise of a diffusion step, besides image, token and decoding step.
///
/// kIndex: its index 0 .. T - 1, as in release 0.1. Methods with one unclipped DDPM process for all
/// decoding steps (all methods of 0.1) keep it, so that their images keep their bytes.
///
/// kTimestep: its timestep t, so that processes of different T use equal noise at equal timesteps.
/// If the default process (T = 100) has t, the key is t's index there, so that they share noise
/// with plain MAR as well; otherwise the key is 1000 + t.
enum class NoiseKeys { kIndex, kTimestep };

/// MAR's timesteps (diffusion/respace.py: evenly strided, rounded half to even), clipped to
/// last_timestep and merged. Throws Error (usage) unless 1 <= steps <= 1000 and
/// 0 <= last_timestep < 1000.
HeadSchedule make_head_schedule(const HeadSegment& segment, NoiseKeys keys);

}  // namespace lazymar
