#include "diffusion/dpm_solvers.h"

#include <cmath>

namespace lazymar {
namespace {

double log_snr(double alpha_bar) {
  return std::log(alpha_bar / (1 - alpha_bar)) / 2;
}

/// 1/(2 r) at step i: half of this step's width in log_snr over that of the step before it; 0 in
/// the first step, which has none, and in the last, whose width is infinite.
double half_slope(std::span<const double> alpha_bars, size_t i) {
  if (i == 0 || i + 1 == alpha_bars.size()) {
    return 0.0;
  }
  return (log_snr(alpha_bars[i - 1]) - log_snr(alpha_bars[i])) /
         (log_snr(alpha_bars[i]) - log_snr(alpha_bars[i + 1])) / 2;
}

/// A step with x0 and these two factors; `to_x0` is that of both x0 together.
SolverStep second_order(double alpha_bar, double to_x, double to_x0, double slope) {
  SolverStep step;
  step.x0_x = static_cast<float>(std::sqrt(1 / alpha_bar));
  step.x0_eps = static_cast<float>(std::sqrt(1 / alpha_bar - 1));
  step.to_x0 = static_cast<float>(to_x0 * (1 + slope));
  step.to_x = static_cast<float>(to_x);
  step.to_previous_x0 = static_cast<float>(-to_x0 * slope);
  return step;
}

/// make(i, alpha_bar now, alpha_bar next, ratio of the noise levels next / now) of every step.
template <typename Make>
std::vector<SolverStep> steps_of(std::span<const double> alpha_bars, const Make& make) {
  std::vector<SolverStep> steps;
  steps.reserve(alpha_bars.size());
  for (size_t i = 0; i < alpha_bars.size(); ++i) {
    const double now = alpha_bars[i];
    const double next = i > 0 ? alpha_bars[i - 1] : 1.0;
    steps.push_back(make(i, now, next, std::sqrt((1 - next) / (1 - now))));
  }
  return steps;
}

}  // namespace

std::vector<SolverStep> dpm_solver_2m(std::span<const double> alpha_bars) {
  return steps_of(alpha_bars, [&](size_t i, double now, double next, double shrink) {
    const double gain = std::sqrt(next) - std::sqrt(now) * shrink;
    return second_order(now, shrink, gain, half_slope(alpha_bars, i));
  });
}

std::vector<SolverStep> sde_dpm_solver_2m(std::span<const double> alpha_bars) {
  return steps_of(alpha_bars, [&](size_t i, double now, double next, double shrink) {
    const double decay = std::sqrt(now / next) * shrink;  // e^-h, and its square e^-2h
    SolverStep step = second_order(now, shrink * decay, std::sqrt(next) * (1 - decay * decay),
                                   half_slope(alpha_bars, i));
    if (i > 0) {
      const double variance = (1 - next) * (1 - decay * decay);
      step.log_beta = step.log_variance = static_cast<float>(std::log(variance));
      step.noise = 1.0F;
    }
    return step;
  });
}

}  // namespace lazymar
