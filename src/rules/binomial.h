#pragma once
/// Exact intervals and tests of counts. Free of LibTorch.

#include <cstdint>
#include <utility>

namespace lazymar {

/// Interval of a share by Clopper and Pearson (1934): it covers the true share with at least the
/// probability `coverage`. `successes` of `count`, count > 0.
std::pair<double, double> binomial_interval(int64_t successes, int64_t count,
                                            double coverage = 0.95);

/// McNemar's exact test (1947) of two yes-or-no results on the same images. `only_first` images
/// have the result only in the first set, `only_second` only in the second. Returns the two-sided
/// probability, under equal chances, of a split at least as uneven.
double mcnemar_probability(int64_t only_first, int64_t only_second);

}  // namespace lazymar
