#pragma once
/// How many rows a lazy step has to recompute so that every other row stays close to its stored
/// output.

#include <span>
#include <string>
#include <vector>

#include "method/lazy_options.h"
#include "run/drift.h"

namespace lazymar {

/// A list for --lazy_retain.
struct Suggestion {
  double tolerance = 0.0;
  std::vector<double> shares;  ///< of the rows, by decoding step

  /// "1,1,0.25": what --lazy_retain reads.
  std::string list() const;
};

/// The share of rows to recompute in each decoding step that keeps every skipped row within
/// `tolerance` (relative change, conditional half) of its last computed output. Full steps
/// (LazyOptions::lazy_step) compute all rows. A lazy step computes the rows to be predicted and the
/// rows decoded in the step before. It also computes all rows whose output has changed by more than
/// the tolerance since they were last computed, tracked row by row. The largest share of all images
/// counts, rounded up to 1/10000, because the list applies to all of them. With `falling`, a share
/// is at least that of all later lazy steps, so that it never rises, as in the published table.
Suggestion suggest_retain(std::span<const ImageDrift> images, const LazyOptions& lazy,
                          double tolerance, bool falling);

}  // namespace lazymar
