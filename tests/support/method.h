#pragma once
/// Decoding plans of short runs.

#include <optional>
#include <vector>

#include "cache/policies.h"
#include "method/sampling_options.h"

namespace lazymar::testing {

/// What the options of the command line come to.
inline DecodingPlan plan_of(const MarConfig& config, const SamplingOptions& sampling,
                            const std::optional<LazyOptions>& lazy = std::nullopt) {
  return make_plan(config, method_of(sampling, lazy));
}

/// MAR's process in so many diffusion steps.
inline std::vector<HeadSchedule> ddpm(int64_t steps) {
  return {make_head_schedule({.steps = steps}, NoiseKeys::kIndex)};
}

}  // namespace lazymar::testing
