#pragma once
/// A decoding method as data: everything that distinguishes one way of drawing images from another.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "method/lazy_options.h"
#include "method/sampling_options.h"

namespace lazymar {

/// Timesteps of the diffusion process that the head is trained on.
inline constexpr int64_t kTrainingSteps = 1000;

/// Tokens that are decoded in equal shares by that many decoding steps.
struct Stage {
  int64_t tokens = 0;
  int64_t steps = 0;

  bool operator==(const Stage&) const = default;
};

/// How the head samples tokens, from one decoding step on.
struct HeadSegment {
  int64_t from_step = 0;        ///< first decoding step
  std::string solver = "ddpm";  ///< a row of diffusion/solvers.h
  int64_t steps = 100;          ///< T, diffusion steps spread over the 1000 timesteps
  int64_t last_timestep = kTrainingSteps - 1;  ///< later ones are clipped to it and merged

  bool operator==(const HeadSegment&) const = default;
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
  std::string order = "random";  ///< a row of method/orders.h
  int64_t cosine_steps = 64;     ///< decoding steps of MAR's cosine, if there are no stages
  std::vector<Stage> stages;     ///< first to last; their tokens add up to L
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

/// MAR with these options, or LazyMAR if `lazy` is given.
DecodingMethod method_of(const SamplingOptions& sampling,
                         const std::optional<LazyOptions>& lazy = std::nullopt);

}  // namespace lazymar
