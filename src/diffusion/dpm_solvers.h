#pragma once
/// DPM-Solver++(2M) (Lu et al. 2022, arXiv:2211.01095): second order, one evaluation a step. Its
/// first and its last step are of first order.

#include "diffusion/solvers.h"

namespace lazymar {

/// Of the probability flow: deterministic. With lambda = log(alpha / sigma), h the step's width in
/// it and r the last width over h (section 3.2, algorithm 2):
/// x' = sigma'/sigma x - alpha' (e^-h - 1) ((1 + 1/(2 r)) x0 - 1/(2 r) x0_before).
std::vector<SolverStep> dpm_solver_2m(std::span<const double> alpha_bars);

/// Of the reverse SDE (appendix, equation for SDE-DPM-Solver++(2M)):
/// x' = sigma'/sigma e^-h x + alpha' (1 - e^-2h) (x0 + (x0 - x0_before) / (2 r))
///      + sigma' sqrt(1 - e^-2h) z. Adds no noise in its last step.
std::vector<SolverStep> sde_dpm_solver_2m(std::span<const double> alpha_bars);

}  // namespace lazymar
