#include "diffusion/solvers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "diffusion/dpm_solvers.h"
#include "method/decoding_method.h"

namespace lazymar {
namespace {

constexpr double kMaxBeta = 0.999;

/// Cumulative products of 1 - beta over the training steps, cosine schedule.
std::vector<double> training_alpha_bars() {
  const auto alpha_bar = [](double u) {
    const double c = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<double> products(kTrainingSteps);
  double product = 1.0;
  for (int64_t i = 0; i < kTrainingSteps; ++i) {
    const double from = static_cast<double>(i) / kTrainingSteps;
    const double to = static_cast<double>(i + 1) / kTrainingSteps;
    product *= 1.0 - std::min(1.0 - alpha_bar(to) / alpha_bar(from), kMaxBeta);
    products[static_cast<size_t>(i)] = product;
  }
  return products;
}

/// Common to all solvers: x_0 from x and eps.
SolverStep to_x0(double alpha_bar) {
  SolverStep step;
  step.x0_x = static_cast<float>(std::sqrt(1.0 / alpha_bar));
  step.x0_eps = static_cast<float>(std::sqrt(1.0 / alpha_bar - 1.0));
  return step;
}

/// The posterior q(x_{t-1} | x_t, x_0) of the respaced process.
std::vector<SolverStep> ddpm(std::span<const double> alpha_bars) {
  std::vector<SolverStep> steps;
  std::vector<double> variances;
  double last = 1.0;
  double alpha_bar = 1.0;
  for (const double kept : alpha_bars) {
    const double beta = 1.0 - kept / last;
    last = kept;
    const double previous = alpha_bar;
    alpha_bar *= 1.0 - beta;
    variances.push_back(beta * (1.0 - previous) / (1.0 - alpha_bar));
    SolverStep step = to_x0(alpha_bar);
    step.to_x0 = static_cast<float>(beta * std::sqrt(previous) / (1.0 - alpha_bar));
    step.to_x = static_cast<float>((1.0 - previous) * std::sqrt(1.0 - beta) / (1.0 - alpha_bar));
    step.log_beta = static_cast<float>(std::log(beta));
    step.noise = steps.empty() ? 0.0F : 1.0F;
    steps.push_back(step);
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    // The variance at 0 is 0: its logarithm is replaced by the next one's. With a single step
    // there is no next one, and no noise is ever added.
    const size_t source = i == 0 ? std::min<size_t>(1, steps.size() - 1) : i;
    steps[i].log_variance = static_cast<float>(std::log(variances[source]));
  }
  return steps;
}

/// x' = sqrt(a') x_0 + sqrt(1 - a') eps, where eps = (x - sqrt(a) x_0) / sqrt(1 - a).
std::vector<SolverStep> ddim(std::span<const double> alpha_bars) {
  std::vector<SolverStep> steps;
  double next = 1.0;  // x_0's
  for (const double alpha_bar : alpha_bars) {
    SolverStep step = to_x0(alpha_bar);
    const double to_x = std::sqrt((1.0 - next) / (1.0 - alpha_bar));
    step.to_x = static_cast<float>(to_x);
    step.to_x0 = static_cast<float>(std::sqrt(next) - std::sqrt(alpha_bar) * to_x);
    steps.push_back(step);
    next = alpha_bar;
  }
  return steps;
}

}  // namespace

Table<Solver>& solvers() {
  static Table<Solver> table("solver", {{"ddpm", ddpm},
                                        {"ddim", ddim},
                                        {"dpm++2m", dpm_solver_2m},
                                        {"sde-dpm++2m", sde_dpm_solver_2m}});
  return table;
}

std::vector<double> alpha_bars_at(std::span<const int64_t> timesteps) {
  const std::vector<double> trained = training_alpha_bars();
  std::vector<double> alpha_bars;
  for (const int64_t t : timesteps) {
    alpha_bars.push_back(trained.at(static_cast<size_t>(t)));
  }
  return alpha_bars;
}

at::Tensor solver_table(const std::vector<SolverStep>& steps) {
  std::vector<float> values;
  for (const SolverStep& c : steps) {
    values.insert(values.end(), {c.x0_x, c.x0_eps, c.to_x0, c.to_x, c.to_previous_x0, c.log_beta,
                                 c.log_variance, c.noise});
  }
  return at::tensor(values).view({static_cast<int64_t>(steps.size()), 8});
}

}  // namespace lazymar
