#pragma once
/// A decoding method as data: everything that distinguishes one way of drawing images from another.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "method/lazy_options.h"
#include "method/plan_options.h"
#include "method/sampling_options.h"

namespace lazymar {

/// Timesteps of the diffusion process that the head is trained on.
inline constexpr int64_t kTrainingSteps = 1000;

/// Tokens that are decoded in equal shares by that many decoding steps.
struct Stage {
  int64_t tokens = 0;  ///< 0: those of the order's stage
  int64_t steps = 0;

  bool operator==(const Stage&) const = default;
};

/// How the head samples tokens, from one decoding step on.
struct HeadSegment {
  int64_t from_step = 0;         ///< first decoding step
  int64_t from_stage = 0;        ///< if not 0, in its place: that of this stage, counted from 1
  std::string solver = "ddpm";   ///< a row of diffusion/solvers.h
  int64_t steps = 100;           ///< T, diffusion steps spread over the 1000 timesteps
  int64_t to_steps = 0;          ///< T of the segment's last decoding step; 0: `steps`
  std::string curve = "linear";  ///< a row of method/head_schedule.h: how T gets there
  int64_t partial_steps = 0;     ///< T of partial decoding steps; 0: as the others
  int64_t last_timestep = kTrainingSteps - 1;  ///< later ones are clipped to it and merged
  std::string spacing = "mar";                 ///< or "even", "quadratic": from 0 to last_timestep
  double detail_share = 0;   ///< of a step's tokens: those of the highest detail score
  int64_t detail_steps = 0;  ///< their T

  bool operator==(const HeadSegment&) const = default;
  /// One process throughout, such as release 0.1 had.
  bool plain() const;
};

/// What decoding steps reuse of earlier ones.
struct CacheSpec {
  std::string policy = "none";                 ///< a row of cache/policies.h
  std::map<std::string, std::string> options;  ///< the policy's; the others keep its defaults

  bool operator==(const CacheSpec&) const = default;
};

/// The default is plain MAR as released.
struct DecodingMethod {
  std::string name = "mar";
  std::string order = "random";     ///< a row of method/orders.h, and its argument
  std::string schedule = "cosine";  ///< a row of method/token_schedules.h, if there are no stages
  int64_t cosine_steps = 64;        ///< decoding steps of the schedule
  std::vector<Stage> stages;        ///< first to last; their tokens add up to L
  std::vector<HeadSegment> head = {HeadSegment{}};  ///< by from_step; the first starts at 0
  double cfg = 3.25;                                ///< guidance scale; 1 means no guidance
  CfgSchedule cfg_schedule = CfgSchedule::kLinear;
  double temperature = 1.0;  ///< factor of the noise added in a diffusion step
  CacheSpec cache;

  bool operator==(const DecodingMethod&) const = default;
  /// Decoding steps.
  int64_t steps() const;
  bool guided() const { return cfg != 1.0; }
};

/// MAR with these options, or LazyMAR if `lazy` is given. Throws Error (usage) for texts of `plan`
/// that cannot be read.
DecodingMethod method_of(const SamplingOptions& sampling,
                         const std::optional<LazyOptions>& lazy = std::nullopt,
                         const PlanOptions& plan = {});

}  // namespace lazymar
