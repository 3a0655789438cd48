#pragma once
/// Predictors of a feature between evaluations of the diffusion head: what a cache may put in place
/// of evaluating it.

#include <array>
#include <cstdint>
#include <string_view>

#include "core/table.h"

namespace lazymar {

/// Factors of the last three evaluations, the newest first; a prediction is their weighted sum.
using PredictorWeights = std::array<double, 3>;

/// Every interval-th diffusion step evaluates the head. F_0 is the last evaluation, F_1 and F_2 the
/// two before it, and a prediction is for the step x after F_0. Differences: D_1 = (F_0 - F_1) / N,
/// D_2 = (D_1 - D_1 of the evaluation before) / N, with N the interval.
struct Predictor {
  std::string_view name;
  PredictorWeights (*weights)(double x, double interval);
};

/// By name:
///   hold     F_0: LazyMAR's head cache (arXiv:2503.12450)
///   taylor1  F_0 + D_1 x: TaylorSeer of order 1 (arXiv:2503.06923; github Shenyi-Z/TaylorSeer
///            @288776d, TaylorSeer-DiT), exact for a line
///   taylor2  F_0 + D_1 x + D_2 x^2 / 2: the same of order 2. Its differences lie half an interval
///            or more back, so that it is not exact for a parabola: it lacks D_2 x N / 2
///   newton2  F_0 + D_1 x + D_2 x (x + N) / 2: the parabola through the three (Newton's backward
///            formula), exact for one. Ours, for comparison
///   hermite  F_0 + D_1 s H_1(s x) + D_2 s^2 H_2(s x) / 2: HiCache (arXiv:2508.16984; github
///            Archerkattri/hicache-plus-plus@21ec37d, hicache_pp/hermite.py) of order 2, with its
///            default s = 0.5. H_1(y) = 2 y, H_2(y) = 4 y^2 - 2
Table<Predictor>& predictors();

}  // namespace lazymar
