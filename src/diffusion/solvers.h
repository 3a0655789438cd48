#pragma once
/// Solvers of the head's reverse process. A solver is a table of coefficients; the loops that read
/// it (nn/head_ops.h: on CPUs, as plain ATen, as kernels) know none by name.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/table.h"

namespace lazymar {

/// One diffusion step, from x_t and what the network predicts (eps after guidance, v) to x at the
/// timestep below:
///
///   x0 = x0_x * x - x0_eps * eps
///   x' = to_x0 * x0 + to_x * x + to_previous_x0 * (x0 of the step before)
///        + noise * temperature * exp((f * log_beta + (1 - f) * log_variance) / 2) * z
///
/// with f = (v + 1) / 2 and z standard normal. A factor of 0 drops its term. Computed in float64,
/// rounded to fp32.
struct SolverStep {
  float x0_x = 0;
  float x0_eps = 0;
  float to_x0 = 0;
  float to_x = 0;
  float to_previous_x0 = 0;  ///< 0 in the first diffusion step, which has no previous one
  float log_beta = 0;
  float log_variance = 0;
  float noise = 0;
};

/// A row of the table of solvers.
struct Solver {
  std::string_view name;
  /// Cumulative products of 1 - beta at the T timesteps, ascending -> the T diffusion steps in that
  /// order. The last one to run, at index 0, yields x_0.
  std::vector<SolverStep> (*steps)(std::span<const double> alpha_bars);
};

/// "ddpm" (Nichol & Dhariwal 2021, as MAR's diffusion/ has it, with learned variance) "ddim"
/// (Song et al. 2021, eta = 0: deterministic, first order), and those of diffusion/dpm_solvers.h.
Table<Solver>& solvers();

/// Cumulative products of 1 - beta at these of the 1000 training timesteps, cosine schedule.
std::vector<double> alpha_bars_at(std::span<const int64_t> timesteps);

/// [T, 8] fp32 on the CPU: a SolverStep per row, members in their order.
at::Tensor solver_table(const std::vector<SolverStep>& steps);

}  // namespace lazymar
