#include "cache/lazymar.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "cache/lazymar_head.h"
#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

using testing::plan_of;

SamplingOptions run_of(int64_t num_iter, double cfg = 2.0) {
  SamplingOptions options;
  options.num_iter = num_iter;
  options.num_sampling_steps = 4;
  options.cfg = cfg;
  return options;
}

/// Defaults, with retention that prunes early in short runs.
LazyOptions pruning() {
  LazyOptions options;
  options.warmup = 2;
  options.refresh = 4;
  options.extra = 2;
  options.retain = RetainKind::kList;
  options.retain_list = {1.0, 1.0, 1.0, 1.0, 0.4};
  return options;
}

struct Recorder final : SampleObserver {
  std::vector<at::Tensor> z;
  void conditioned(const DecodeStep&, const at::Tensor& value) override { z.push_back(value); }
};

/// z of every step of a run with this runner.
std::vector<at::Tensor> run(Runner& runner, HeadRunner& head, const Mar& mar,
                            const DecodingPlan& plan) {
  PhiloxNoise noise(1, {3, 4});
  Recorder recorder;
  Sampler(mar, plan).sample(runner, head, at::tensor({1, 2}, c10::kLong), noise, recorder);
  return recorder.z;
}

std::vector<at::Tensor> run_lazy(const LazyOptions& lazy, const Mar& mar,
                                 const SamplingOptions& sampling) {
  const DecodingPlan plan = plan_of(mar.config, sampling, lazy);
  LazyMarRunner cache(mar.config, plan);
  FullHeadRunner head;
  return run(cache, head, mar, plan);
}

std::vector<at::Tensor> run_full(const Mar& mar, const SamplingOptions& sampling) {
  FullRunner runner;
  FullHeadRunner head;
  return run(runner, head, mar, plan_of(mar.config, sampling));
}

double largest_error(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (b[i].numel() > 0) {
      largest = std::max(largest, testing::relative_error(a[i], b[i]));
    }
  }
  return largest;
}

TEST(LazyMarRunner, WarmUpWithoutEndIsMar) {
  const Mar mar = testing::tiny_mar();
  const SamplingOptions sampling = run_of(12);
  LazyOptions lazy = pruning();
  lazy.warmup = 12;
  EXPECT_EQ(largest_error(run_lazy(lazy, mar, sampling), run_full(mar, sampling)), 0.0);
  // The control: with lazy steps the result differs.
  EXPECT_GT(largest_error(run_lazy(pruning(), mar, sampling), run_full(mar, sampling)), 1e-6);
}

TEST(LazyMarRunner, RefreshingEveryStepIsMar) {
  const Mar mar = testing::tiny_mar();
  const SamplingOptions sampling = run_of(12);
  LazyOptions lazy = pruning();
  lazy.refresh = 1;
  EXPECT_EQ(largest_error(run_lazy(lazy, mar, sampling), run_full(mar, sampling)), 0.0);
}

TEST(LazyMarRunner, RefreshesByItsSchedule) {
  std::vector<int64_t> full;
  for (const DecodeStep& step : plan_of(testing::tiny_config(), run_of(64), LazyOptions{}).steps) {
    if (!step.partial()) {
      full.push_back(step.index);
    }
  }
  EXPECT_EQ(full, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 14, 23, 32, 41, 50, 59}));
}

/// Every conditional z depends only on the conditional half, so three ways to compute it agree:
/// with the condition cache, with both halves in the token cache, and without guidance.
TEST(LazyMarRunner, TheConditionalHalfIsTheSameHoweverTheOtherIsMade) {
  const Mar mar = testing::tiny_mar();
  // The test compares z, not tokens, so the head must return the same tokens whatever the guidance:
  // a single step does.
  struct ConstantHead final : HeadRunner {
    HeadOutput predict(const DiffusionHead&, const HeadStep& step) override {
      return {at::zeros_like(step.x), at::zeros_like(step.x)};
    }
  } head;
  const auto conditional = [&](const LazyOptions& lazy, double cfg) {
    const DecodingPlan plan = plan_of(mar.config, run_of(14, cfg), lazy);
    LazyMarRunner cache(mar.config, plan);
    std::vector<at::Tensor> z = run(cache, head, mar, plan);
    for (at::Tensor& value : z) {
      value = cfg == 1.0 ? value : value.narrow(0, 0, value.size(0) / 2);
    }
    return z;
  };
  LazyOptions both = pruning();
  both.condition = false;
  const auto expected = conditional(pruning(), 2.0);
  EXPECT_LT(largest_error(conditional(both, 2.0), expected), 1e-11);
  EXPECT_LT(largest_error(conditional(pruning(), 1.0), expected), 1e-11);
  LazyOptions other = pruning();
  other.prune_layer = 2;
  EXPECT_GT(largest_error(conditional(other, 1.0), expected), 1e-6);
}

TEST(LazyMarRunner, ConditionCacheAloneKeepsTheConditionalHalfExact) {
  const Mar mar = testing::tiny_mar();
  LazyOptions lazy = pruning();
  lazy.token = false;
  const SamplingOptions sampling = run_of(12);
  const auto cached = run_lazy(lazy, mar, sampling);
  const auto full = run_full(mar, sampling);
  // Step 3 is the first lazy one; until its tokens are sampled, both runs are equal.
  const int64_t rows = cached[3].size(0) / 2;
  EXPECT_LT(testing::relative_error(cached[3].narrow(0, 0, rows), full[3].narrow(0, 0, rows)),
            1e-12);
  EXPECT_GT(testing::relative_error(cached[3].narrow(0, rows, rows), full[3].narrow(0, rows, rows)),
            1e-9);
}

TEST(LazyMarRunner, DroppingTheDifferenceShows) {
  const Mar mar = testing::tiny_mar();
  LazyOptions lazy = pruning();
  lazy.condition_scale = 0.0;
  EXPECT_GT(largest_error(run_lazy(lazy, mar, run_of(12)), run_lazy(pruning(), mar, run_of(12))),
            1e-3);
}

TEST(LazyMarRunner, KeepingEveryRowPrunesNothing) {
  const Mar mar = testing::tiny_mar();
  LazyOptions all = pruning();
  all.retain_list = {1.0};
  LazyOptions extra = pruning();
  extra.extra = 1000;
  LazyOptions beyond = pruning();
  beyond.prune_layer = 5;  // the decoder has layers 0 to 4
  const auto expected = run_lazy(all, mar, run_of(12));
  EXPECT_EQ(largest_error(run_lazy(extra, mar, run_of(12)), expected), 0.0);
  EXPECT_EQ(largest_error(run_lazy(beyond, mar, run_of(12)), expected), 0.0);
  EXPECT_GT(largest_error(run_lazy(pruning(), mar, run_of(12)), expected), 1e-9);
}

TEST(LazyMarRunner, WorksWhereTheOriginalFails) {
  for (const int64_t buffer : {1, 6, 64}) {
    for (const int64_t depth : {1, 4, 6}) {
      MarConfig config = testing::tiny_config();
      config.buffer_size = buffer;
      config.encoder_depth = config.decoder_depth = depth;
      const Mar mar = testing::tiny_mar(config);
      for (const int64_t num_iter : {1, 7, 30}) {
        for (const double cfg : {1.0, 2.0}) {
          for (int caches = 0; caches < 4; ++caches) {
            LazyOptions lazy = pruning();
            lazy.token = (caches & 1) != 0;
            lazy.condition = (caches & 2) != 0;
            for (const at::Tensor& z : run_lazy(lazy, mar, run_of(num_iter, cfg))) {
              ASSERT_TRUE(z.isfinite().all().item<bool>());
            }
          }
        }
      }
    }
  }
}

TEST(LazyMarRunner, ServesOneBatchAfterAnother) {
  const Mar mar = testing::tiny_mar();
  const DecodingPlan plan = plan_of(mar.config, run_of(12), pruning());
  LazyMarRunner cache(mar.config, plan);
  FullHeadRunner head;
  const auto first = run(cache, head, mar, plan);
  EXPECT_EQ(largest_error(run(cache, head, mar, plan), first), 0.0);
}

TEST(LazyMarRunner, AnImageDoesNotDependOnItsNeighbours) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  const DecodingPlan plan = plan_of(mar.config, run_of(12), pruning());
  const auto sample = [&](std::vector<int64_t> ids, const std::vector<int64_t>& labels) {
    LazyMarRunner cache(mar.config, plan);
    LazyMarHeadRunner head(7);
    PhiloxNoise noise(1, std::move(ids));
    SampleObserver nobody;
    return Sampler(mar, plan).sample(cache, head, at::tensor(labels), noise, nobody);
  };
  const at::Tensor first = sample({7, 8, 9}, {1, 0, 2});
  const at::Tensor second = sample({7, 100, 200}, {1, 2, 2});
  EXPECT_TRUE(at::equal(first[0], second[0]));
  EXPECT_FALSE(at::equal(first[1], second[1]));
}

TEST(LazyMarRunner, ComputesFewerRows) {
  const Mar mar = testing::tiny_mar();
  work_count() = {};
  run_full(mar, run_of(12));
  const WorkCount full = work_count();
  work_count() = {};
  run_lazy(pruning(), mar, run_of(12));
  EXPECT_LT(work_count().block_rows, full.block_rows * 2 / 3);
  EXPECT_LT(work_count().flops, full.flops);
}

}  // namespace
}  // namespace lazymar
