#include "diffusion/solvers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "diffusion/head_ops.h"
#include "method/head_schedule.h"
#include "support/errors.h"
#include "support/solver.h"

namespace lazymar {
namespace {

using testing::solver_steps;

TEST(Solvers, FirstStepDividesByAlmostNothing) {
  // sqrt(alpha_bar) at t = 999 is 4.9e-5: this is why the first step magnifies errors.
  EXPECT_NEAR(1 / solver_steps("ddpm", 100)[99].x0_x, 4.9e-5, 1e-6);
}

TEST(Solvers, CoefficientsAreConsistent) {
  for (const int64_t steps : {2, 25, 100, 1000}) {
    const std::vector<SolverStep> table = solver_steps("ddpm", steps);
    for (size_t i = 1; i < table.size(); ++i) {
      const double recip = table[i].x0_x;
      const double other = table[i].x0_eps;
      EXPECT_NEAR((recip * recip - other * other) / (recip * recip), 1 / (recip * recip), 1e-5);
      // The posterior's variance is below the forward one's.
      EXPECT_LE(table[i].log_variance, table[i].log_beta);
      EXPECT_EQ(table[i].noise, 1);
    }
    EXPECT_EQ(table[0].log_variance, table[1].log_variance);
    EXPECT_EQ(table[0].noise, 0) << "no noise in the last step";
  }
}

/// In plain ATen, and on the halves of one tensor, as from the head.
void expect_step_is_the_formula(c10::ScalarType type, double tolerance) {
  const auto options = at::TensorOptions().dtype(type);
  const at::Tensor output = at::rand({3, 4}, options) * 2 - 1;
  const SolverStep c{1.25F, 0.5F, 0.75F, 0.375F, -0.25F, -1.5F, -2.5F, 0.5F};
  ReverseStep step;
  step.x = at::randn({3, 2}, options);
  step.eps = output.narrow(1, 0, 2);
  step.v = output.narrow(1, 2, 2);
  step.noise = at::randn({3, 2}, options);
  step.previous_x0 = at::randn({3, 2}, options);
  step.coefficients = solver_table({c}).to(type)[0];
  step.temperature = 0.9;
  step.keep_x0 = true;
  const at::Tensor x0 = 1.25 * step.x - 0.5 * step.eps;
  const at::Tensor fraction = (step.v + 1) / 2;
  const at::Tensor sigma = at::exp((fraction * -1.5 + (1 - fraction) * -2.5) / 2);
  const at::Tensor mean = 0.75 * x0 + 0.375 * step.x;
  const at::Tensor back = -0.25 * step.previous_x0;
  const at::Tensor fresh = 0.5 * 0.9 * sigma * step.noise;
  const auto is = [&](const Reversed& got, const at::Tensor& wanted) {
    EXPECT_EQ(got.x.scalar_type(), type);
    return at::allclose(got.x, wanted, tolerance, tolerance);
  };
  for (const auto run : {reverse_step, plain::reverse_step}) {
    EXPECT_TRUE(is(run(step), mean + back + fresh));
    EXPECT_TRUE(at::allclose(run(step).x0, x0, tolerance, tolerance));
    EXPECT_FALSE(is(run(step), mean + back)) << "control";
    ReverseStep part = step;
    part.noise = at::Tensor();
    EXPECT_TRUE(is(run(part), mean + back));
    part.previous_x0 = at::Tensor();
    part.keep_x0 = false;
    EXPECT_TRUE(is(run(part), mean));
    EXPECT_FALSE(run(part).x0.defined());
  }
}

TEST(Solvers, AStepIsTheFormula) {
  expect_step_is_the_formula(c10::kDouble, 1e-12);
  expect_step_is_the_formula(c10::kFloat, 1e-5);
}

/// Only the first diffusion step magnifies an error of eps, so the others' last layers may be
/// rounded.
TEST(Solvers, OnlyTheFirstStepMagnifies) {
  for (const int64_t steps : {2, 10, 25, 50, 100, 250, 1000}) {
    const std::vector<SolverStep> table = solver_steps("ddpm", steps);
    const auto factor = [&](size_t i) { return table[i].to_x0 * table[i].x0_eps; };
    EXPECT_GT(factor(table.size() - 1), 30) << steps;
    for (size_t i = 0; i + 1 < table.size(); ++i) {
      EXPECT_LT(factor(i), 2.5) << i << " of " << steps;
    }
  }
}

TEST(Solvers, OneStepGivesFiniteTokens) {
  for (const Solver& solver : solvers().rows()) {
    const SolverStep step = solver_steps(std::string(solver.name), 1)[0];
    EXPECT_EQ(step.noise, 0) << solver.name;
    EXPECT_TRUE(std::isfinite(step.x0_x * step.to_x0 + step.x0_eps + step.to_x)) << solver.name;
  }
}

/// For normal x_0, the probability flow keeps x / sigma(t). So the end of every trajectory is
/// known, and the order of a solver's error can be measured.
TEST(Solvers, DdimConvergesAtFirstOrder) {
  const std::vector<double> errors = testing::gaussian_errors("ddim", {20, 40, 80, 160});
  for (size_t i = 1; i < errors.size(); ++i) {
    EXPECT_NEAR(std::log2(errors[i - 1] / errors[i]), 1.0, 0.05) << errors[i];
  }
  EXPECT_LT(errors.back(), 0.02);
  // The control: DDPM adds noise, so its trajectories end elsewhere.
  EXPECT_GT(testing::gaussian_errors("ddpm", {160}).front(), 0.1);
}

/// log2 of the ratio of errors at twice the steps.
void expect_order(const std::vector<double>& errors, double order, double tolerance) {
  for (size_t i = 1; i < errors.size(); ++i) {
    EXPECT_NEAR(std::log2(errors[i - 1] / errors[i]), order, tolerance) << errors[i];
  }
}

TEST(Solvers, DpmSolverConvergesAtSecondOrder) {
  expect_order(testing::gaussian_errors("dpm++2m", {40, 80, 160}), 2.0, 0.15);
  expect_order(testing::two_gaussian_errors("dpm++2m", {40, 80, 160, 320}), 2.0, 0.1);
  expect_order(testing::two_gaussian_errors("ddim", {40, 80, 160}), 1.0, 0.05);  // the control
}

/// A Gaussian stays one under a linear step: its deviation, from the covariance of x and the x0 of
/// the step before, without a single draw.
double deviation_of(const std::string& solver, int64_t count) {
  const testing::Gaussian target;
  const std::vector<double> alpha_bars = testing::even_log_snr(count);
  const std::vector<SolverStep> steps = solvers().at(solver).steps(alpha_bars);
  const double first = target.deviation(alpha_bars.back());
  double xx = first * first, xp = 0, pp = 0;
  for (size_t i = steps.size(); i-- > 0;) {
    const double a = alpha_bars[i];
    const double variance = target.deviation(a) * target.deviation(a);
    const double to_x0 = steps[i].x0_x - steps[i].x0_eps * std::sqrt(1 - a) / variance;
    const double by_x = steps[i].to_x + steps[i].to_x0 * to_x0;
    const double by_p = steps[i].to_previous_x0;
    const double noise = steps[i].noise * std::exp(steps[i].log_variance / 2);
    const double next_xx =
        by_x * by_x * xx + 2 * by_x * by_p * xp + by_p * by_p * pp + noise * noise;
    const double next_xp = to_x0 * (by_x * xx + by_p * xp);
    pp = to_x0 * to_x0 * xx;
    xx = next_xx;
    xp = next_xp;
  }
  return std::sqrt(xx);
}

TEST(Solvers, TheStochasticSolverKeepsTheDistributionAtSecondOrder) {
  std::vector<double> errors;
  for (const int64_t count : {40, 80, 160, 320}) {
    errors.push_back(std::abs(deviation_of("sde-dpm++2m", count) / testing::Gaussian().spread - 1));
  }
  expect_order(errors, 2.0, 0.15);
  EXPECT_LT(errors.back(), 2e-4);
  EXPECT_GT(testing::gaussian_errors("sde-dpm++2m", {160}).front(), 0.1)
      << "control: it adds noise, so no trajectory is the flow's";
}

/// Guidance of 3.25 towards one of two Gaussians, on MAR's own timesteps up to 950: the error of
/// 100 evaluations is below 1 % of the distance of a Gaussian's mean from 0.
TEST(Solvers, WithGuidanceAHundredEvaluationsMeetAThousand) {
  const testing::TwoGaussians both;
  const auto guided = [&](const at::Tensor& x, double a) {
    const at::Tensor all = both.eps(x, a);
    return all + 3.25 * (both.one.eps(x, a) - all);
  };
  const at::Tensor start = at::linspace(-2, 2, 64, c10::kDouble).unsqueeze(0);
  const auto run = [&](const char* solver, int64_t steps, const char* spacing) {
    const HeadSchedule schedule = make_head_schedule(
        {.steps = steps, .last_timestep = 950, .spacing = spacing}, NoiseKeys::kTimestep);
    return testing::solved(solver, alpha_bars_at(schedule.timesteps), start, guided);
  };
  const at::Tensor exact = run("ddim", 951, "even");
  const auto error = [&](const char* solver, int64_t steps, const char* spacing) {
    return (run(solver, steps, spacing) - exact).abs().max().item<double>();
  };
  EXPECT_LT(error("dpm++2m", 100, "even"), 0.01);
  EXPECT_LT(error("dpm++2m", 100, "quadratic"), 0.005);
  EXPECT_LT(error("dpm++2m", 15, "quadratic"), 0.06);
  EXPECT_GT(error("dpm++2m", 15, "even"), 0.15) << "control: why the preset is quadratic";
}

TEST(Solvers, UnknownNamesAreRefusedWithTheKnownOnes) {
  const std::string message = testing::refused([] { solvers().at("euler"); });
  EXPECT_TRUE(testing::contains(message, "euler")) << message;
  EXPECT_TRUE(testing::contains(message, "ddpm, ddim, dpm++2m")) << message;
}

}  // namespace
}  // namespace lazymar
