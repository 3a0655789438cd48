#pragma once
/// How many decoder rows a lazy step recomputes after the pruning layer.

#include <cstdint>
#include <vector>

#include "method/decoding_plan.h"
#include "method/lazy_options.h"

namespace lazymar {

/// Share of the rows kept, by decoding step: 1.0 until step 19, falling to 0.05 from step 40 on
/// (models/basic.py of LazyMAR, tuned for 64 steps).
class RetainSchedule {
 public:
  /// kPublished indexes the table by step, with its last value beyond the end; kScaled stretches
  /// the table to the plan's steps, kProgress takes the step of MAR's 64 at which as many tokens
  /// are masked (both identical at 64); kList uses the given list.
  RetainSchedule(const LazyOptions& options, const std::vector<DecodeStep>& steps);

  double ratio(int64_t step) const;

 private:
  std::vector<double> ratios_;  ///< the last one applies beyond the end
};

}  // namespace lazymar
