// What caches hold on paper is what the runners hold once an image is drawn.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "cache/policies.h"
#include "flops/cost_table.h"
#include "mar/sampler.h"
#include "method/method_text.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

struct Case {
  std::string cache;
  double cfg = 2;
  bool staged = false;  ///< in three stages, with more diffusion steps for half of their tokens
};

const Case kCases[] = {
    {"none"},
    {"lazymar:warmup=1:refresh=4:prune_layer=2:extra=1:head_refresh=3"},
    {"lazymar:warmup=1:refresh=4:prune_layer=2:extra=1:head_refresh=3", 1},
    {"lazymar:warmup=1:caches=token:prune_layer=0:extra=1"},
    {"lazymar:warmup=1:caches=token,head:prune_layer=4:extra=1"},
    {"lazymar:warmup=1:extra=100"},
    {"lazymar:warmup=1:prune_layer=5"},
    {"lazymar:caches=condition"},
    {"lazymar:caches=condition", 1},
    {"lazymar:caches=head"},
    {"lazymar:refresh=1"},
    {"recap"},
    {"recap", 1},
    {"recap:full=8"},
    {"taylor1"},
    {"taylor1:interval=1", 1},
    {"taylor1", 2, true},
    {"lazymar:caches=head", 2, true},
};

DecodingMethod method_in(const Case& what) {
  SamplingOptions sampling;
  sampling.num_iter = 8;
  sampling.num_sampling_steps = 9;
  sampling.cfg = what.cfg;
  PlanOptions plan;
  if (what.staged) {
    plan.order = "checkerboard:3";
    plan.tokens_per_step = "stages:2,2,1";
    plan.detail = "0.5:12";
  }
  plan.cache = what.cache;
  return method_of(sampling, std::nullopt, plan);
}

int64_t held(const Mar& mar, const DecodingPlan& plan, const std::vector<int64_t>& ids) {
  const auto runner = policy_of(plan).make_runner(mar.config, plan);
  const auto head = policy_of(plan).make_head_runner(plan);
  PhiloxNoise noise(1, ids);
  SampleObserver nobody;
  const at::Tensor labels = at::ones({static_cast<int64_t>(ids.size())}, c10::kLong);
  Sampler(mar, plan).sample(*runner, *head, labels, noise, nobody);
  return runner->kept_bytes() + head->kept_bytes();
}

TEST(KeptBytes, AreTheNumbersOfTheRunners) {
  const MarConfig config = testing::tiny_config();
  for (const char* precision : {"fp32", "bf16"}) {
    const Mar mar = testing::tiny_mar(config, precision);
    for (const Case& what : kCases) {
      const DecodingMethod method = method_in(what);
      const int64_t paper =
          cost_row(config, testing::tiny_vae_config(), method, {}, parse_precision(precision))
              .cache_bytes;
      const DecodingPlan plan = make_plan(config, method);
      EXPECT_EQ(held(mar, plan, {3}), paper) << what.cache << " " << precision;
      EXPECT_EQ(held(mar, plan, {3, 4, 5}), 3 * paper) << what.cache << " " << precision;
    }
  }
}

TEST(KeptBytes, DependOnCacheAndPrecision) {
  const MarConfig huge = published_config(*find_preset("mar_huge"));
  const auto bytes = [&](const char* cache, const char* precision) {
    PlanOptions plan;
    plan.cache = cache;
    return cost_row(huge, kl16_config(), method_of({}, std::nullopt, plan), {},
                    parse_precision(precision))
        .cache_bytes;
  };
  EXPECT_EQ(bytes("none", "fp32"), 0);
  // 19 layers of the encoder and 17 of the decoder, 320 rows, keys and values of 1280; in fp32 the
  // difference of 256 tokens.
  EXPECT_EQ(bytes("lazymar:caches=token,condition", "bf16"),
            36 * 320 * 2 * 1280 * 2 + 256 * 1280 * 4);
  EXPECT_EQ(bytes("lazymar:caches=token,condition", "auto"),
            bytes("lazymar:caches=token,condition", "bf16"));
  EXPECT_GT(bytes("lazymar", "fp32"), bytes("lazymar", "bf16"));
}

}  // namespace
}  // namespace lazymar
