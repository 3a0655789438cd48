#pragma once
/// A score averaged over parts of the data.

#include <span>

namespace lazymar {

/// The parts' mean and spread: the population's standard deviation (divided by the number of parts,
/// as numpy.std). It is not an error bar of the mean.
struct MeanDeviation {
  double mean = 0;
  double deviation = 0;
};

/// Of at least one value.
MeanDeviation mean_deviation(std::span<const double> values);

}  // namespace lazymar
