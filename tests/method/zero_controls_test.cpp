// Settings that must change nothing: each gives the tokens of another one, bit for bit.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cache/policies.h"
#include "cli/arms.h"
#include "generate/options.h"
#include "mar/sampler.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

/// A tiny network whose tokens are a square.
const Mar& network() {
  static const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  return mar;
}

/// Tokens of two images by an arm's options, as lazymar_bench and lazymar_eval read them; in 6
/// decoding steps of 12 diffusion steps where they do not say.
at::Tensor drawn(const std::string& options) {
  EvalOptions common;
  common.sampling.num_iter = 6;
  common.sampling.num_sampling_steps = 12;
  const auto [name, request] = parse_arm(eval_rows(), "baseline " + options, common);
  const DecodingPlan plan = make_plan(network().config, resolve_method(request, {}));
  const auto runner = policy_of(plan).make_runner(network().config, plan);
  const auto head = policy_of(plan).make_head_runner(plan);
  PhiloxNoise noise(1, {3, 4});
  SampleObserver nobody;
  return Sampler(network(), plan)
      .sample(*runner, *head, at::tensor({1, 2}, c10::kLong), noise, nobody);
}

void expect_same(const std::string& one, const std::string& other) {
  EXPECT_TRUE(at::equal(drawn(one), drawn(other))) << one << " | " << other;
}

void expect_other(const std::string& one, const std::string& other) {
  EXPECT_FALSE(at::equal(drawn(one), drawn(other))) << "control: " << one << " | " << other;
}

constexpr const char* kLazy = "--cache lazymar";

TEST(ZeroControls, OneStageIsMar) {
  expect_same("--order checkerboard:1", "");
  expect_other("--order checkerboard:2", "");
}

TEST(ZeroControls, CosineStepsAreMars) {
  expect_same("--tokens_per_step cosine:6", "");
  expect_other("--tokens_per_step arccos:6", "");
}

TEST(ZeroControls, AHundredDiffusionStepsThroughoutAreMar) {
  const std::string hundred = "--num_sampling_steps 100";
  expect_same("--head_steps 100", hundred);
  expect_same("--head_steps 100:100", hundred);
  expect_same("--head_steps 100,100@5", hundred);
  expect_same("--head_steps 100/100", hundred);
  expect_same("--head_steps 12:12", "");
  expect_other("--head_steps 100,90@5", hundred);
}

TEST(ZeroControls, RefreshingEveryStepIsMar) {
  expect_same(concat(kLazy, ":refresh=1:caches=token,condition"), "");
  expect_other(concat(kLazy, ":warmup=2:caches=token,condition"), "");
}

TEST(ZeroControls, AHeadThatIsAlwaysComputedIsMars) {
  expect_same(concat(kLazy, ":caches=head:head_refresh=1"), "");
  expect_same("--cache taylor1:interval=1", "");
  expect_other("--cache taylor1:interval=2", "");
  expect_other(concat(kLazy, ":caches=head:head_refresh=2"), "");
}

TEST(ZeroControls, ReCapWithoutPairsIsMar) {
  expect_same("--cache recap:full=6", "");
  expect_other("--cache recap", "");
}

/// Guidance of 1 leaves no unconditional half to reuse.
TEST(ZeroControls, WithoutGuidanceTheConditionCacheIsNothing) {
  const std::string condition = concat(kLazy, ":caches=condition:warmup=1");
  expect_same("--cfg 1 " + condition, "--cfg 1");
  expect_other(condition, "");
}

TEST(ZeroControls, DetailForNoTokenAndForEveryToken) {
  const std::string clipped = "--last_timestep 950 --head_steps 20";
  expect_same("--detail 0:30", "");
  expect_same("--head_steps 20 --detail 0:30", "--head_steps 20");
  expect_same(clipped + " --detail 1:10", "--last_timestep 950 --head_steps 10");
  expect_same("--detail 1:100", "--num_sampling_steps 100");
  expect_other(clipped + " --detail 0.5:10", clipped);
}

/// Tokens with more detail leave the others' noise as it was.
TEST(ZeroControls, DetailLeavesTheOthersAlone) {
  const at::Tensor without = drawn("--tokens_per_step list:16 --last_timestep 950 --head_steps 20");
  const at::Tensor with =
      drawn("--tokens_per_step list:16 --last_timestep 950 --head_steps 20 --detail 0.25:40");
  const at::Tensor same = without.eq(with).all(2);
  EXPECT_EQ(same.sum(1).min().item<int64_t>(), 12);
  EXPECT_EQ(same.sum(1).max().item<int64_t>(), 12);
}

/// A token's noise does not depend on when it is decoded: the same tokens in one step or in two.
TEST(ZeroControls, StagesShareNoise) {
  const std::string cut = "--cfg 1 --order raster --num_sampling_steps 10 ";
  const at::Tensor one = drawn(cut + "--tokens_per_step list:4,12");
  const at::Tensor two = drawn(cut + "--tokens_per_step list:4,6,6");
  const at::Tensor scheduled = drawn(cut + "--tokens_per_step arccos:2");
  const auto first_ten = [](const at::Tensor& tokens) { return tokens.narrow(1, 0, 10); };
  EXPECT_LT(testing::relative_error(first_ten(two), first_ten(one)), 1e-2)
      << "decoded from the same tokens, but for rounding";
  EXPECT_GT(testing::relative_error(first_ten(scheduled), first_ten(one)), 1e-1)
      << "control: a schedule's noise goes by its steps";
}

}  // namespace
}  // namespace lazymar
