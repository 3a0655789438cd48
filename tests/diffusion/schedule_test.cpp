#include "diffusion/schedule.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"

namespace lazymar {
namespace {

TEST(DiffusionSchedule, TimestepsAreSpreadAndRounded) {
  const DiffusionSchedule hundred(100);
  EXPECT_EQ(hundred.steps(), 100);
  EXPECT_EQ(hundred.timestep(0), 0);
  EXPECT_EQ(hundred.timestep(1), 10);    // 10.09
  EXPECT_EQ(hundred.timestep(50), 505);  // 504.5454...
  EXPECT_EQ(hundred.timestep(99), 999);
  const DiffusionSchedule all(1000);
  for (int64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(all.timestep(i), i);
  }
  const DiffusionSchedule three(3);  // 499.5 rounds to the even neighbour
  EXPECT_EQ(three.timestep(1), 500);
  EXPECT_EQ(DiffusionSchedule(1).timestep(0), 0);
}

TEST(DiffusionSchedule, FirstStepDividesByAlmostNothing) {
  // sqrt(alpha_bar) at t = 999 is 4.9e-5: why an error in the first step is multiplied.
  const DiffusionSchedule schedule(100);
  EXPECT_NEAR(1 / schedule.step(99).recip_sqrt_alpha_bar, 4.9e-5, 1e-6);
}

TEST(DiffusionSchedule, CoefficientsAreConsistent) {
  for (const int64_t steps : {2, 25, 100, 1000}) {
    const DiffusionSchedule schedule(steps);
    for (int64_t i = 1; i < steps; ++i) {
      const PosteriorStep& step = schedule.step(i);
      const double recip = step.recip_sqrt_alpha_bar;
      const double other = step.recip_sqrt_alpha_bar_m1;
      EXPECT_NEAR((recip * recip - other * other) / (recip * recip), 1 / (recip * recip), 1e-5);
      // The posterior's variance lies below the forward one's.
      EXPECT_LE(step.log_posterior_variance, step.log_beta);
    }
    if (steps > 1) {
      EXPECT_EQ(schedule.step(0).log_posterior_variance, schedule.step(1).log_posterior_variance);
    }
  }
}

/// In plain ATen, and on the halves of one tensor as the head gives them.
void expect_reverse_is_the_formula(c10::ScalarType type, double tolerance) {
  const DiffusionSchedule schedule(10);
  const auto options = at::TensorOptions().dtype(type);
  const at::Tensor x = at::randn({3, 2}, options);
  const at::Tensor output = at::rand({3, 4}, options) * 2 - 1;
  const at::Tensor eps = output.narrow(1, 0, 2);
  const at::Tensor v = output.narrow(1, 2, 2);
  const at::Tensor noise = at::randn({3, 2}, options);
  const PosteriorStep& c = schedule.step(4);
  const at::Tensor x0 = c.recip_sqrt_alpha_bar * x - c.recip_sqrt_alpha_bar_m1 * eps;
  const at::Tensor mean = c.mean_x0 * x0 + c.mean_xt * x;
  const at::Tensor fraction = (v + 1) / 2;
  const at::Tensor sigma =
      at::exp((fraction * c.log_beta + (1 - fraction) * c.log_posterior_variance) / 2);
  const at::Tensor next = schedule.reverse(4, x, eps, v, noise, 0.9);
  EXPECT_EQ(next.scalar_type(), type);
  EXPECT_TRUE(at::allclose(next, mean + sigma * noise * 0.9, tolerance, tolerance));
  EXPECT_FALSE(at::allclose(next, mean, tolerance, tolerance)) << "control";
  // No noise at index 0, whatever the temperature.
  EXPECT_TRUE(
      at::equal(schedule.reverse(0, x, eps, v, {}, 0.9), schedule.reverse(0, x, eps, v, {}, 0.1)));
}

TEST(DiffusionSchedule, ReverseIsTheFormula) {
  expect_reverse_is_the_formula(c10::kDouble, 1e-12);
  expect_reverse_is_the_formula(c10::kFloat, 1e-5);
}

/// Of all diffusion steps only the first magnifies an error of eps: the others' last layers may
/// be rounded.
TEST(DiffusionSchedule, OnlyTheFirstStepMagnifies) {
  for (const int64_t steps : {2, 10, 25, 50, 100, 250, 1000}) {
    const DiffusionSchedule schedule(steps);
    const auto factor = [&](int64_t i) {
      return schedule.step(i).mean_x0 * schedule.step(i).recip_sqrt_alpha_bar_m1;
    };
    EXPECT_GT(factor(steps - 1), 30) << steps;
    for (int64_t i = 0; i + 1 < steps; ++i) {
      EXPECT_LT(factor(i), 2.5) << i << " of " << steps;
    }
  }
}

TEST(DiffusionSchedule, OneStepGivesFiniteTokens) {
  const DiffusionSchedule schedule(1);
  const at::Tensor x = at::ones({1, 2});
  EXPECT_TRUE(schedule.reverse(0, x, x, x, {}, 1.0).isfinite().all().item<bool>());
}

TEST(DiffusionSchedule, StepsOutOfRangeAreRefused) {
  testing::refused([] { DiffusionSchedule(0); });
  testing::refused([] { DiffusionSchedule(1001); });
}

}  // namespace
}  // namespace lazymar
