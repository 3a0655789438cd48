#include "diffusion/head.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

TEST(DiffusionHead, TimeTableIsCosineThenSine) {
  const Mar mar = testing::tiny_mar();
  const std::vector<int64_t> timesteps = testing::ddpm(5).front().timesteps;
  at::Tensor sinusoids = at::empty({5, 256}, c10::kFloat);
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 128; ++j) {
      const float frequency = std::exp(-std::log(10000.0F) * static_cast<float>(j) / 128.0F);
      const float angle = static_cast<float>(timesteps[static_cast<size_t>(i)]) * frequency;
      sinusoids[i][j] = std::cos(angle);
      sinusoids[i][j + 128] = std::sin(angle);
    }
  }
  const at::Tensor expected =
      mar.head.time_fc2(at::silu(mar.head.time_fc1(sinusoids.to(c10::kDouble))));
  // Angles reach 999: one ulp of fp32 there is 6e-5.
  EXPECT_LT(testing::relative_error(mar.head.time_table(timesteps), expected), 1e-4);
}

at::Tensor sample(const Mar& mar, const at::Tensor& z, int64_t halves, double guidance,
                  int64_t steps = 6, HeadRunner* chosen = nullptr) {
  FullHeadRunner full;
  HeadRunner& runner = chosen != nullptr ? *chosen : full;
  HeadSampler sampler(mar.head, testing::ddpm(steps));
  at::Tensor noise = at::randn({steps + 1, z.size(0) / halves, mar.head.channels()},
                               at::make_generator<at::CPUGeneratorImpl>(3), c10::kDouble);
  return sampler.sample(runner, {z, noise, 0, halves, guidance, 1.0});
}

TEST(HeadSampler, ModulationAheadIsTheSameAsStepByStep) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor z = at::randn({8, 32}, c10::kDouble);
  for (const int64_t rows : {9, 20, 1000}) {
    FullHeadRunner ahead(rows);
    FullHeadRunner step_by_step(1);
    EXPECT_LT(testing::relative_error(sample(mar, z, 2, 3.0, 6, &ahead),
                                      sample(mar, z, 2, 3.0, 6, &step_by_step)),
              1e-9);
  }
}

TEST(HeadSampler, ModulationForgetsTheDecodingStepBefore) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor z = at::randn({8, 32}, c10::kDouble);
  FullHeadRunner used;
  sample(mar, at::randn({8, 32}, c10::kDouble), 2, 3.0, 6, &used);
  EXPECT_TRUE(at::equal(sample(mar, z, 2, 3.0, 6, &used), sample(mar, z, 2, 3.0)));
}

TEST(HeadSampler, GuidanceOneIsTheConditionalHalf) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor z = at::randn({4, 32}, c10::kDouble);
  const at::Tensor both = at::cat({z, at::randn({4, 32}, c10::kDouble)});
  EXPECT_LT(testing::relative_error(sample(mar, both, 2, 1.0), sample(mar, z, 1, 1.0)), 1e-9);
  EXPECT_GT(testing::relative_error(sample(mar, both, 2, 3.0), sample(mar, z, 1, 1.0)), 1e-3);
}

TEST(HeadSampler, EqualHalvesNeedNoGuidance) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor z = at::randn({4, 32}, c10::kDouble);
  EXPECT_LT(testing::relative_error(sample(mar, at::cat({z, z}), 2, 7.0), sample(mar, z, 1, 1.0)),
            1e-9);
}

TEST(HeadSampler, RowsDoNotDependOnEachOther) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor z = at::randn({4, 32}, c10::kDouble);
  at::Tensor changed = z.clone();
  changed[3] += 1;
  const at::Tensor first = sample(mar, z, 1, 1.0).narrow(0, 0, 3);
  EXPECT_TRUE(at::equal(sample(mar, changed, 1, 1.0).narrow(0, 0, 3), first));
}

}  // namespace
}  // namespace lazymar
