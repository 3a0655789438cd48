#pragma once
/// Solvers on a problem with a known solution.

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "diffusion/head_ops.h"
#include "diffusion/solvers.h"
#include "method/head_schedule.h"

namespace lazymar::testing {

/// A solver's steps of MAR's process in T steps.
inline std::vector<SolverStep> solver_steps(const std::string& solver, int64_t steps) {
  const HeadSchedule schedule = make_head_schedule({.steps = steps}, NoiseKeys::kIndex);
  return solvers().at(solver).steps(alpha_bars_at(schedule.timesteps));
}

/// Data x_0 ~ N(0, s^2): x_t has the variance v(t) = a s^2 + 1 - a (a: alpha_bar), the best
/// prediction of eps is sqrt(1 - a) x / v, and the probability flow keeps x / sqrt(v). Returns the
/// mean relative error of the ends of 64 trajectories, by number of diffusion steps, which are
/// evenly spaced in log(a / (1 - a)).
inline std::vector<double> gaussian_errors(const std::string& solver,
                                           const std::vector<int64_t>& counts) {
  constexpr double kSpread = 0.5;
  constexpr double kFirstLogSnr = 7.0;  // half the logarithm; there the noise is down to 1e-6
  constexpr double kLastLogSnr = -1.8;
  const auto variance = [](double a) { return a * kSpread * kSpread + 1 - a; };
  std::vector<double> errors;
  for (const int64_t count : counts) {
    std::vector<double> alpha_bars;
    for (int64_t i = 0; i < count; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(count - 1);
      const double log_snr = kFirstLogSnr + (kLastLogSnr - kFirstLogSnr) * share;
      alpha_bars.push_back(1 / (1 + std::exp(-2 * log_snr)));
    }
    const std::vector<SolverStep> steps = solvers().at(solver).steps(alpha_bars);
    const at::Tensor table = solver_table(steps).to(c10::kDouble);
    at::Tensor x = at::full({1, 64}, std::sqrt(variance(alpha_bars.back())), c10::kDouble);
    at::Tensor x0;
    for (int64_t i = count - 1; i >= 0; --i) {
      const SolverStep& by = steps[static_cast<size_t>(i)];
      const double a = alpha_bars[static_cast<size_t>(i)];
      ReverseStep step;
      step.x = x;
      step.eps = std::sqrt(1 - a) / variance(a) * x;
      step.v = at::zeros_like(x);
      step.noise = by.noise != 0 ? at::randn_like(x) : at::Tensor();
      step.previous_x0 = by.to_previous_x0 != 0 ? x0 : at::Tensor();
      step.coefficients = table[i];
      step.keep_x0 = true;
      const Reversed reversed = reverse_step(step);
      x = reversed.x;
      x0 = reversed.x0;
    }
    errors.push_back((x / kSpread - 1).abs().mean().item<double>());
  }
  return errors;
}

}  // namespace lazymar::testing
