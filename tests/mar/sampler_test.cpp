#include "mar/sampler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

SamplingOptions short_run(double cfg = 2.0) {
  SamplingOptions options;
  options.num_iter = 6;
  options.num_sampling_steps = 4;
  options.cfg = cfg;
  return options;
}

at::Tensor sample(const Mar& mar, const SamplingOptions& options, const std::vector<int64_t>& ids,
                  const std::vector<int64_t>& labels) {
  FullRunner runner;
  FullHeadRunner head;
  PhiloxNoise noise(1, ids);
  SampleObserver nobody;
  return Sampler(mar, options).sample(runner, head, at::tensor(labels, c10::kLong), noise, nobody);
}

TEST(Sampler, AnImageDoesNotDependOnItsNeighbours) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  const at::Tensor first = sample(mar, short_run(), {7, 8, 9}, {1, 0, 2});
  const at::Tensor second = sample(mar, short_run(), {7, 100, 200}, {1, 2, 2});
  EXPECT_TRUE(at::equal(first[0], second[0]));
  EXPECT_FALSE(at::equal(first[1], second[1]));
}

TEST(Sampler, NorWithinRoundingOnTheBatchSize) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor three = sample(mar, short_run(), {7, 8, 9}, {1, 0, 2});
  const at::Tensor alone = sample(mar, short_run(), {8}, {0});
  EXPECT_LT(testing::relative_error(alone[0], three[1]), 1e-9);
}

TEST(Sampler, SeedLabelAndIdMatter) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor image = sample(mar, short_run(), {7}, {1});
  EXPECT_GT(testing::relative_error(sample(mar, short_run(), {7}, {2}), image), 1e-6);
  EXPECT_GT(testing::relative_error(sample(mar, short_run(), {8}, {1}), image), 1e-6);
  EXPECT_TRUE(at::equal(sample(mar, short_run(), {7}, {1}), image));
}

TEST(Sampler, RunsWithAnyNumberOfSteps) {
  const Mar mar = testing::tiny_mar();
  for (const int64_t num_iter : {1, 2, 16, 17, 40}) {
    for (const double cfg : {1.0, 2.0}) {
      SamplingOptions options = short_run(cfg);
      options.num_iter = num_iter;
      EXPECT_TRUE(sample(mar, options, {0, 1}, {0, 1}).isfinite().all().item<bool>());
    }
  }
}

TEST(Sampler, TellsItsObserverEveryStep) {
  struct Counter final : SampleObserver {
    int64_t steps = 0, conditions = 0, rows = 0;
    void step_begins(const DecodeStep&) override { ++steps; }
    void conditioned(const DecodeStep& step, const at::Tensor& z) override {
      ++conditions;
      EXPECT_EQ(z.size(0), 2 * 3 * step.predicted());
    }
    void sampled(const DecodeStep&, const at::Tensor& tokens) override { rows += tokens.size(0); }
  } counter;
  const Mar mar = testing::tiny_mar();
  FullRunner runner;
  FullHeadRunner head;
  PhiloxNoise noise(1, {0, 1, 2});
  Sampler(mar, short_run()).sample(runner, head, at::zeros({3}, c10::kLong), noise, counter);
  EXPECT_EQ(counter.steps, 6);
  EXPECT_EQ(counter.conditions, 6);
  EXPECT_EQ(counter.rows, 3 * 16);
}

TEST(Unpatchify, PutsPatchesWhereTheyBelong) {
  // Four tokens of 2 channels x 2x2: token (row, column), channel c, pixel (p, q).
  const at::Tensor tokens = at::arange(32).view({1, 4, 8});
  const at::Tensor latents = unpatchify(tokens, 2);
  ASSERT_EQ(latents.sizes(), (std::vector<int64_t>{1, 2, 4, 4}));
  for (int64_t y = 0; y < 4; ++y) {
    for (int64_t x = 0; x < 4; ++x) {
      for (int64_t c = 0; c < 2; ++c) {
        const int64_t token = (y / 2) * 2 + x / 2;
        EXPECT_EQ(latents[0][c][y][x].item<int64_t>(), token * 8 + c * 4 + (y % 2) * 2 + x % 2);
      }
    }
  }
  testing::refused([] { unpatchify(at::zeros({1, 5, 4}), 1); });
  testing::refused([] { unpatchify(at::zeros({1, 4, 6}), 2); });
}

}  // namespace
}  // namespace lazymar
