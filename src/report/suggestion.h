#pragma once
/// How many rows a lazy step has to recompute so that no other one is too far from what is kept.

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

/// The share of the rows that LazyMAR has to recompute in each decoding step so that the output of
/// no row that is left out differs from its output when it was last computed by more than
/// `tolerance` (relative change, conditional half). Full steps (LazyOptions::lazy_step) compute all
/// rows. A lazy step computes the rows to be predicted, the rows decoded in the step before, and
/// all rows whose output has changed by more than the tolerance since they were last computed,
/// which is followed row by row. Of several images the largest share counts, rounded up to 1/10000,
/// since the list holds for all images. With `falling` a share also covers those of all later lazy
/// steps, so that it never rises from one lazy step to a later one, as in the published table.
Suggestion suggest_retain(std::span<const ImageDrift> images, const LazyOptions& lazy,
                          double tolerance, bool falling);

}  // namespace lazymar
