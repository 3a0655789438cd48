#pragma once
/// Solvers on a problem with a known solution.

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
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

/// A process whose best prediction of eps is known: eps(x_t, alpha_bar).
using Prediction = std::function<at::Tensor(const at::Tensor& x, double alpha_bar)>;

/// Where a solver takes x, from the largest of `alpha_bars` (ascending timesteps) to x_0, in fp64.
inline at::Tensor solved(const std::string& solver, const std::vector<double>& alpha_bars,
                         at::Tensor x, const Prediction& eps) {
  const std::vector<SolverStep> steps = solvers().at(solver).steps(alpha_bars);
  const at::Tensor table = solver_table(steps).to(c10::kDouble);
  at::Tensor x0;
  for (size_t i = steps.size(); i-- > 0;) {
    ReverseStep step;
    step.x = x;
    step.eps = eps(x, alpha_bars[i]);
    step.v = at::zeros_like(x);
    step.noise = steps[i].noise != 0 ? at::randn_like(x) : at::Tensor();
    step.previous_x0 = steps[i].to_previous_x0 != 0 ? x0 : at::Tensor();
    step.coefficients = table[static_cast<int64_t>(i)];
    step.keep_x0 = true;
    const Reversed reversed = reverse_step(step);
    x = reversed.x;
    x0 = reversed.x0;
  }
  return x;
}

/// Evenly spaced in log(a / (1 - a)): half of it from 7, where the noise is down to 1e-6, to -1.8.
inline std::vector<double> even_log_snr(int64_t count) {
  std::vector<double> alpha_bars;
  for (int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    alpha_bars.push_back(1 / (1 + std::exp(-2 * (7.0 - 8.8 * share))));
  }
  return alpha_bars;
}

/// Data x_0 ~ N(mean, spread^2).
struct Gaussian {
  double mean = 0;
  double spread = 0.5;

  double deviation(double a) const { return std::sqrt(a * spread * spread + 1 - a); }
  at::Tensor eps(const at::Tensor& x, double a) const {
    return std::sqrt(1 - a) * (x - std::sqrt(a) * mean) / (deviation(a) * deviation(a));
  }
  at::Tensor share_below(const at::Tensor& x, double a) const {
    return at::special_ndtr((x - std::sqrt(a) * mean) / deviation(a));
  }
};

/// Data of two Gaussians at +mean and -mean, half each.
struct TwoGaussians {
  Gaussian one{1.0, 0.3};

  at::Tensor eps(const at::Tensor& x, double a) const {
    const Gaussian other{-one.mean, one.spread};
    const double variance = one.deviation(a) * one.deviation(a);
    const at::Tensor weight = at::sigmoid(2 * std::sqrt(a) * one.mean / variance * x);
    return weight * one.eps(x, a) + (1 - weight) * other.eps(x, a);
  }
  /// The probability flow keeps the share of the distribution below a point: where x ends.
  at::Tensor flow(const at::Tensor& x, double a) const {
    const Gaussian other{-one.mean, one.spread};
    const auto below = [&](const at::Tensor& at_x, double at_a) {
      return (one.share_below(at_x, at_a) + other.share_below(at_x, at_a)) / 2;
    };
    at::Tensor low = at::full_like(x, -5);
    at::Tensor high = at::full_like(x, 5);
    for (int i = 0; i < 80; ++i) {
      const at::Tensor middle = (low + high) / 2;
      const at::Tensor under = below(middle, 1.0) < below(x, a);
      low = at::where(under, middle, low);
      high = at::where(under, high, middle);
    }
    return low;
  }
};

/// For a Gaussian the probability flow keeps x / deviation(t): the mean relative error of where 64
/// trajectories end, by number of diffusion steps.
inline std::vector<double> gaussian_errors(const std::string& solver,
                                           const std::vector<int64_t>& counts) {
  const Gaussian target;
  std::vector<double> errors;
  for (const int64_t count : counts) {
    const std::vector<double> alpha_bars = even_log_snr(count);
    const at::Tensor x = solved(
        solver, alpha_bars, at::full({1, 64}, target.deviation(alpha_bars.back()), c10::kDouble),
        [&](const at::Tensor& at_x, double a) { return target.eps(at_x, a); });
    errors.push_back((x / target.spread - 1).abs().mean().item<double>());
  }
  return errors;
}

/// The same for two Gaussians: mean absolute error of 64 trajectories from -2 to 2.
inline std::vector<double> two_gaussian_errors(const std::string& solver,
                                               const std::vector<int64_t>& counts) {
  const TwoGaussians target;
  const at::Tensor start = at::linspace(-2, 2, 64, c10::kDouble).unsqueeze(0);
  std::vector<double> errors;
  for (const int64_t count : counts) {
    const std::vector<double> alpha_bars = even_log_snr(count);
    const at::Tensor x = solved(solver, alpha_bars, start, [&](const at::Tensor& at_x, double a) {
      return target.eps(at_x, a);
    });
    errors.push_back((x - target.flow(start, alpha_bars.back())).abs().mean().item<double>());
  }
  return errors;
}

}  // namespace lazymar::testing
