#pragma once
/// How many decoder rows a lazy step recomputes behind the pruning layer.

#include <cstdint>
#include <vector>

#include "method/lazy_options.h"

namespace lazymar {

/// Share of the rows kept, by decoding step: 1.0 until step 19, falling to 0.05 from step 40 on
/// (models/basic.py of LazyMAR, tuned for 64 steps).
class RetainSchedule {
 public:
  /// kPublished indexes the table by the step's number, its last value beyond it; kScaled stretches
  /// the table to num_iter, the same thing at 64; kList takes the options' own list.
  RetainSchedule(const LazyOptions& options, int64_t num_iter);

  double ratio(int64_t step) const;

 private:
  std::vector<double> ratios_;  ///< the last one stays
};

}  // namespace lazymar
