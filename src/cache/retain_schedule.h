#pragma once
/// How many decoder rows a lazy step recomputes after the pruning layer.

#include <cstdint>
#include <vector>

#include "method/lazy_options.h"

namespace lazymar {

/// Share of the rows kept, by decoding step: 1.0 until step 19, falling to 0.05 from step 40 on
/// (models/basic.py of LazyMAR, tuned for 64 steps).
class RetainSchedule {
 public:
  /// kPublished indexes the table by step, with its last value beyond the end; kScaled stretches
  /// the table to num_iter (identical at 64); kList uses the given list.
  RetainSchedule(const LazyOptions& options, int64_t num_iter);

  double ratio(int64_t step) const;

 private:
  std::vector<double> ratios_;  ///< the last one applies beyond the end
};

}  // namespace lazymar
