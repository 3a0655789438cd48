#pragma once
/// The one place that chooses between MAR and LazyMAR.

#include <memory>
#include <optional>
#include <vector>

#include "core/network_config.h"
#include "diffusion/head.h"
#include "mar/runner.h"
#include "method/lazy_options.h"
#include "method/sampling_options.h"

namespace lazymar {

/// Both seams, for one batch after another.
struct Runners {
  std::unique_ptr<Runner> blocks;
  std::unique_ptr<HeadRunner> head;
  std::vector<bool> lazy_steps;  ///< by decoding step
};

/// Without `lazy`: everything is computed. With it: LazyMAR's caches.
/// Throws Error (usage) for constants out of range.
Runners make_runners(const std::optional<LazyOptions>& lazy, const MarConfig& config,
                     const SamplingOptions& sampling);

}  // namespace lazymar
