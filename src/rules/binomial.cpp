#include "rules/binomial.h"

#include <algorithm>
#include <cmath>

namespace lazymar {
namespace {

constexpr int kBisections = 60;  // down to the last bits of a double

/// Logarithm of the probability of exactly `successes` of `count`, for 0 < share < 1.
double log_probability(int64_t successes, int64_t count, double share) {
  const auto k = static_cast<double>(successes), n = static_cast<double>(count);
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(share) +
         (n - k) * std::log1p(-share);
}

/// Probability of at most `successes` of `count`.
double lower_tail(int64_t successes, int64_t count, double share) {
  double sum = 0;
  for (int64_t k = 0; k <= successes; ++k) {
    sum += std::exp(log_probability(k, count, share));
  }
  return std::min(1.0, sum);
}

/// The share at which at most `successes` of `count`, fewer than all, have probability `tail`.
double share_at(int64_t successes, int64_t count, double tail) {
  double low = 0, high = 1;
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (low + high) / 2;
    (lower_tail(successes, count, middle) > tail ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::pair<double, double> binomial_interval(int64_t successes, int64_t count, double coverage) {
  const double tail = (1 - coverage) / 2;
  // The lower bound is 1 - the upper bound for the failures.
  return {successes == 0 ? 0 : 1 - share_at(count - successes, count, tail),
          successes == count ? 1 : share_at(successes, count, tail)};
}

double mcnemar_probability(int64_t only_first, int64_t only_second) {
  return std::min(1.0,
                  2 * lower_tail(std::min(only_first, only_second), only_first + only_second, 0.5));
}

}  // namespace lazymar
