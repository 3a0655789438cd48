#pragma once
/// Decoding plans of short runs.

#include <optional>
#include <vector>

#include "cache/policies.h"
#include "method/sampling_options.h"

namespace lazymar::testing {

/// The method for the options of a command line.
inline DecodingPlan plan_of(const MarConfig& config, const SamplingOptions& sampling,
                            const std::optional<LazyOptions>& lazy = std::nullopt) {
  return make_plan(config, method_of(sampling, lazy));
}

/// MAR's process in that many diffusion steps.
inline std::vector<HeadSchedule> ddpm(int64_t steps) {
  return {make_head_schedule({.steps = steps}, NoiseKeys::kIndex)};
}

}  // namespace lazymar::testing
