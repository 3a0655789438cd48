#include "cache/policies.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "mar/sampler.h"
#include "support/errors.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

DecodingMethod with(const std::string& policy, std::map<std::string, std::string> options = {}) {
  DecodingMethod method;
  method.cosine_steps = 8;
  method.head = {{.steps = 12}};
  method.cache = {policy, std::move(options)};
  return method;
}

at::Tensor sample(const Mar& mar, const DecodingMethod& method) {
  const DecodingPlan plan = make_plan(mar.config, method);
  const auto runner = policy_of(plan).make_runner(mar.config, plan);
  const auto head = policy_of(plan).make_head_runner(plan);
  PhiloxNoise noise(1, {3, 4});
  SampleObserver nobody;
  return Sampler(mar, plan).sample(*runner, *head, at::tensor({1, 2}, c10::kLong), noise, nobody);
}

TEST(CachePolicies, NoneIsFullThroughout) {
  const DecodingPlan plan = make_plan(testing::tiny_config(), with("none"));
  EXPECT_EQ(step_kinds(plan.steps), "FFFFFFFF");
  EXPECT_EQ(policy_of(plan).name, "none");
}

TEST(CachePolicies, ATemperatureNeedsASolverThatDrawsNoise) {
  const MarConfig config = testing::tiny_config();
  DecodingMethod method = with("none");
  method.temperature = 0.9;
  EXPECT_NO_THROW(make_plan(config, method)) << "control: ddpm";
  for (const char* solver : {"ddim", "dpm++2m"}) {
    method.head.front().solver = solver;
    EXPECT_TRUE(contains(refused([&] { make_plan(config, method); }),
                         concat("temperature 0.9 has no effect with solver ", solver)));
  }
  method.head.front().solver = "sde-dpm++2m";
  EXPECT_NO_THROW(make_plan(config, method));
  method.head.front().solver = "ddim";
  method.temperature = 1;
  EXPECT_NO_THROW(make_plan(config, method));
}

TEST(CachePolicies, LazymarsOptionsAreThoseOfThePlan) {
  const MarConfig config = testing::tiny_config();
  const auto kinds = [&](std::map<std::string, std::string> options, double cfg = 3.25) {
    DecodingMethod method = with("lazymar", std::move(options));
    method.cfg = cfg;
    return step_kinds(make_plan(config, method).steps);
  };
  EXPECT_EQ(kinds({}), "FFFFFFLL");
  EXPECT_EQ(kinds({{"warmup", "2"}, {"refresh", "3"}}), "FFFLLFLL");
  EXPECT_EQ(kinds({{"caches", "condition,head"}}), "FFFFFFLL");
  EXPECT_EQ(kinds({{"caches", "condition,head"}}, 1.0), "FFFFFFFF")
      << "nothing to keep without guidance";
  EXPECT_EQ(kinds({{"caches", "head"}}), "FFFFFFFF");
}

/// A head cache that always refreshes, with only full decoding steps, is plain MAR.
TEST(CachePolicies, LazymarThatReusesNothingIsMar) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor plain = sample(mar, with("none"));
  const at::Tensor full = sample(mar, with("lazymar", {{"refresh", "1"}, {"head_refresh", "1"}}));
  EXPECT_LT(testing::relative_error(full, plain), 1e-12);
  EXPECT_GT(testing::relative_error(sample(mar, with("lazymar", {{"warmup", "2"}})), plain), 1e-9);
}

TEST(CachePolicies, LazymarRefreshesByProgress) {
  MarConfig config = testing::tiny_config();
  config.sequence_length = 256;
  const auto kinds = [&](int64_t steps, std::map<std::string, std::string> options) {
    DecodingMethod method = with("lazymar", std::move(options));
    method.cosine_steps = steps;
    return step_kinds(make_plan(config, method).steps);
  };
  EXPECT_EQ(kinds(64, {{"refresh_by", "progress"}}), kinds(64, {}))
      << "at 64 steps they are the same";
  EXPECT_EQ(kinds(32, {{"refresh_by", "progress"}, {"warmup", "2"}}),
            "FFFLLLFLLLFLLLLFLLLFLLLLFLLLFLLL");
  EXPECT_NE(kinds(32, {{"warmup", "2"}}), kinds(32, {{"refresh_by", "progress"}, {"warmup", "2"}}));
}

TEST(CachePolicies, LazymarRefreshesAtStages) {
  DecodingMethod method = with("lazymar", {{"warmup", "1"}, {"refresh", "100"}});
  method.stages = {{8, 4}, {8, 3}};
  const auto kinds = [&] { return step_kinds(make_plan(testing::tiny_config(), method).steps); };
  EXPECT_EQ(kinds(), "FFLLFLL");
  method.cache.options["refresh_at_stages"] = "off";
  EXPECT_EQ(kinds(), "FFLLLLL");
}

/// Every second step from the middle on; partial steps take their own diffusion steps.
TEST(CachePolicies, RecapPairsSteps) {
  DecodingMethod method = with("recap");
  method.head = {{.steps = 12, .partial_steps = 5}};
  const DecodingPlan plan = make_plan(testing::tiny_config(), method);
  EXPECT_EQ(step_kinds(plan.steps), "FFFFFLFL");
  for (const DecodeStep& step : plan.steps) {
    EXPECT_EQ(plan.head(step).steps(), step.partial() ? 5 : 12) << step.index;
  }
}

/// A partial step that follows a full one with no token between them sees what a full one would:
/// all that ReCAP leaves out is what changes with new tokens.
TEST(CachePolicies, RecapIsMarUntilTokensChange) {
  const Mar mar = testing::tiny_mar();
  const at::Tensor plain = sample(mar, with("none"));
  const at::Tensor recap = sample(mar, with("recap"));
  EXPECT_FALSE(at::equal(recap, plain)) << "control";
  EXPECT_TRUE(recap.isfinite().all().item<bool>());
  EXPECT_TRUE(at::equal(sample(mar, with("recap", {{"full", "8"}})), plain));
}

TEST(CachePolicies, NamesAndOptionsAreChecked) {
  const auto message = [](const DecodingMethod& method) {
    return refused([&] { make_plan(testing::tiny_config(), method); });
  };
  EXPECT_TRUE(contains(message(with("squeeze")), "none, lazymar, recap, taylor1"));
  EXPECT_TRUE(contains(message(with("recap", {{"pairs", "3"}})), "full=N"));
  EXPECT_TRUE(contains(message(with("taylor1", {{"interval", "0"}})), "interval=N"));
  EXPECT_TRUE(contains(message(with("none", {{"refresh", "3"}})), "refresh"));
  EXPECT_TRUE(contains(message(with("lazymar", {{"refresh", "0"}})), "lazy_refresh 0"));
  EXPECT_TRUE(contains(message(with("lazymar", {{"prune_layer", "6"}})), "5 layers"));
  EXPECT_TRUE(contains(message(with("lazymar", {{"speed", "6"}})), "head_refresh"));
}

}  // namespace
}  // namespace lazymar
