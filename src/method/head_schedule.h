#pragma once
/// One diffusion process of the head: its timesteps, and the keys of its noise.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/table.h"
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
/// last_timestep and merged. With spacing "even" they are strided up to last_timestep, with
/// "quadratic" they are last_timestep (i / (T - 1))^2 (Song et al. 2021, arXiv:2010.02502, appendix
/// D.2). Throws Error (usage) unless 1 <= steps <= 1000 and 0 <= last_timestep < 1000.
HeadSchedule make_head_schedule(const HeadSegment& segment, NoiseKeys keys);

/// How T falls over a segment's decoding steps 0 .. last.
struct HeadCurve {
  std::string_view name;
  /// The share of the way back to the first T that is left at `step`, from 1 to 0.
  double (*left)(int64_t step, int64_t last);
};

/// DiSA's annealing (models/diffloss.py of github Qinyu-Allen-Zhao/DiSA@283fa59): linear, cosine,
/// two-stage.
Table<HeadCurve>& head_curves();

/// T at decoding step `step` of a segment whose last one is `last`, both counted within it:
/// to_steps + int(left (steps - to_steps)), as DiSA rounds.
int64_t annealed_steps(const HeadSegment& segment, int64_t step, int64_t last);

}  // namespace lazymar
