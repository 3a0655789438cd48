#include "mar/sampler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/method.h"
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
  return Sampler(mar, testing::plan_of(mar.config, options))
      .sample(runner, head, at::tensor(labels, c10::kLong), noise, nobody);
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
  Sampler(mar, testing::plan_of(mar.config, short_run()))
      .sample(runner, head, at::zeros({3}, c10::kLong), noise, counter);
  EXPECT_EQ(counter.steps, 6);
  EXPECT_EQ(counter.conditions, 6);
  EXPECT_EQ(counter.rows, 3 * 16);
}

/// Tokens by decoding step.
std::vector<at::Tensor> sampled_by_step(const Mar& mar, const std::vector<HeadSegment>& segments) {
  struct Recorder final : SampleObserver {
    std::vector<at::Tensor> tokens;
    void sampled(const DecodeStep&, const at::Tensor& of_step) override {
      tokens.push_back(of_step.clone());
    }
  } recorder;
  DecodingMethod method = method_of(short_run());
  method.head = segments;
  FullRunner runner;
  FullHeadRunner head;
  PhiloxNoise noise(1, {0, 1});
  Sampler(mar, make_plan(mar.config, method))
      .sample(runner, head, at::zeros({2}, c10::kLong), noise, recorder);
  return recorder.tokens;
}

TEST(Sampler, DecodingStepsThatAreMarsGiveMarsTokens) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  const auto plain = sampled_by_step(mar, {{}});
  const auto faster_later = sampled_by_step(mar, {{}, {.from_step = 3, .steps = 20}});
  const auto other_solver = sampled_by_step(mar, {{}, {.from_step = 3, .solver = "ddim"}});
  for (size_t step = 0; step < 6; ++step) {
    EXPECT_EQ(at::equal(faster_later[step], plain[step]), step < 3) << step;
    EXPECT_EQ(at::equal(other_solver[step], plain[step]), step < 3) << step;
    EXPECT_TRUE(faster_later[step].isfinite().all().item<bool>());
    EXPECT_TRUE(other_solver[step].isfinite().all().item<bool>());
  }
}

TEST(Sampler, OneSamplerServesSeveralSchedulesInAnyOrder) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  const HeadSegment few{.steps = 7};
  const HeadSegment many{.from_step = 2, .steps = 30};
  const HeadSegment few_again{.from_step = 4, .steps = 7};
  const auto mixed = sampled_by_step(mar, {few, many, few_again});
  const auto without_last = sampled_by_step(mar, {few, many});
  for (size_t step = 0; step < 6; ++step) {
    EXPECT_EQ(at::equal(mixed[step], without_last[step]), step < 4) << step;
  }
}

TEST(Sampler, OrdersAreThePlans) {
  struct Watcher final : SampleObserver {
    at::Tensor orders;
    void begins(const MarBatch& batch) override { orders = batch.orders; }
  } watcher;
  const Mar mar = testing::tiny_mar();
  DecodingMethod method = method_of(short_run());
  method.order = "raster";
  method.stages = {{16, 16}};
  FullRunner runner;
  FullHeadRunner head;
  PhiloxNoise noise(1, {0, 1});
  Sampler(mar, make_plan(mar.config, method))
      .sample(runner, head, at::zeros({2}, c10::kLong), noise, watcher);
  EXPECT_TRUE(at::equal(watcher.orders, at::arange(15, -1, -1, c10::kLong).expand({2, 16})));
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
