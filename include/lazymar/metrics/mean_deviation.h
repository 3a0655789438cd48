#pragma once

namespace lazymar {

/// A score's mean over parts of the data, and the spread of the parts: the population's standard
/// deviation (divided by the number of parts, as numpy.std). No error bar of the mean.
struct MeanDeviation {
  double mean = 0;
  double deviation = 0;
};

}  // namespace lazymar
