#include "metrics/mean_deviation.h"

#include <cmath>
#include <numeric>

namespace lazymar {

MeanDeviation mean_deviation(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {mean, std::sqrt(squares / count)};
}

}  // namespace lazymar
