// The worked examples of docs/adding-a-method.md, which quotes them: an order, a solver, two cache
// policies, each a function or a class and a row.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cache/lazymar_policy.h"
#include "cache/policies.h"
#include "diffusion/head.h"
#include "diffusion/solvers.h"
#include "flops/flop_formula.h"
#include "mar/sampler.h"
#include "method/method_json.h"
#include "method/orders.h"
#include "nn/flops.h"
#include "support/errors.h"
#include "support/solver.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

/// Column by column, from the left; within a column the image's own order.
TokenOrder columns(int64_t length, const std::string& argument) {
  refuse_argument("columns", argument);
  const int64_t side = side_of_square("columns", length);
  return staged_order(length, [side](int64_t position) { return position % side; });
}

/// Ancestral sampling with the smaller of the two variances: DDPM without its learned one.
std::vector<SolverStep> ddpm_small(std::span<const double> alpha_bars) {
  std::vector<SolverStep> steps = solvers().at("ddpm").steps(alpha_bars);
  for (SolverStep& step : steps) {
    step.log_beta = step.log_variance;
  }
  return steps;
}

/// LazyMAR that refreshes after every further eighth of the tokens, not at every ninth step.
bool within_an_eighth(const DecodingPlan& plan, const DecodeStep& step) {
  const int64_t length = plan.steps.front().masked;
  const auto eighths = [&](int64_t masked) { return 8 * (length - masked) / length; };
  return step.index > 0 && eighths(step.masked) == eighths(step.masked_before);
}

CachePolicy lazymar_by_progress() {
  CachePolicy policy = lazymar_policy();
  policy.name = "lazymar-by-progress";
  policy.partial = within_an_eighth;
  return policy;
}

const bool kRowsAreAdded = [] {
  orders().add({"columns", columns});
  solvers().add({"ddpm-small", ddpm_small});
  cache_policies().add(lazymar_by_progress());
  return true;
}();

constexpr const char* kMethod = R"({
  "name": "example",
  "order": "columns",
  "stages": [{"tokens": 8, "steps": 4}, {"tokens": 8, "steps": 2}],
  "head": [{"solver": "ddpm-small", "steps": 20, "last_timestep": 950},
           {"from_step": 4, "solver": "ddim", "steps": 10}],
  "cache": {"policy": "lazymar-by-progress", "options": {"extra": "1"}}
})";

DecodingMethod method_of_text(const std::string& text) {
  return method_from_json(nlohmann::ordered_json::parse(text));
}

/// Counts FLOPs, and sees which tokens a step predicts.
struct Recorder final : SampleObserver {
  at::Tensor orders;
  std::vector<at::Tensor> z;
  void begins(const MarBatch& batch) override { orders = batch.orders; }
  void conditioned(const DecodeStep&, const at::Tensor& value) override { z.push_back(value); }
};

struct Sampled {
  at::Tensor tokens;
  Recorder recorder;
  int64_t flops = 0;  ///< of the second batch
};

Sampled sample(const Mar& mar, const DecodingPlan& plan) {
  const auto runner = policy_of(plan).make_runner(mar.config, plan);
  const auto head = policy_of(plan).make_head_runner(plan);
  Sampler sampler(mar, plan);
  Sampled sampled;
  for (int batch = 0; batch < 2; ++batch) {
    PhiloxNoise noise(1, {3, 4});
    sampled.recorder.z.clear();
    work_count() = {};
    sampled.tokens =
        sampler.sample(*runner, *head, at::tensor({1, 2}, c10::kLong), noise, sampled.recorder);
    sampled.flops = work_count().flops;
  }
  return sampled;
}

TEST(AddingAMethod, AnOrderIsAFunctionAndARow) {
  const Mar mar = testing::tiny_mar();
  DecodingMethod method = method_of_text(kMethod);
  const at::Tensor order = sample(mar, make_plan(mar.config, method)).recorder.orders;
  const at::Tensor column = order.remainder(4);
  EXPECT_TRUE(column.narrow(1, 0, 8).ge(2).all().item<bool>()) << "decoded in the second stage";
  EXPECT_TRUE(column.narrow(1, 8, 8).lt(2).all().item<bool>()) << "decoded in the first";
  method.order = "random";
  const at::Tensor other = sample(mar, make_plan(mar.config, method)).recorder.orders;
  EXPECT_FALSE(at::equal(other, order)) << "control";
}

TEST(AddingAMethod, ASolverIsATableAndARow) {
  const auto table = testing::solver_steps("ddpm-small", 20);
  const auto learned = testing::solver_steps("ddpm", 20);
  EXPECT_EQ(table[5].log_beta, table[5].log_variance);
  EXPECT_NE(learned[5].log_beta, learned[5].log_variance) << "control";
  EXPECT_EQ(table[5].to_x, learned[5].to_x);
}

TEST(AddingAMethod, ACachePolicyIsARow) {
  const Mar mar = testing::tiny_mar();
  DecodingMethod method = method_of_text(R"({"cosine_steps": 12, "head": [{"steps": 9}]})");
  const at::Tensor plain = sample(mar, make_plan(mar.config, method)).tokens;
  const auto flops = [&](const std::string& policy) {
    method.cache = {policy, {}};
    const DecodingPlan plan = make_plan(mar.config, method);
    const Sampled sampled = sample(mar, plan);
    const FlopCount counted = FlopFormula({mar.config, testing::tiny_vae_config(), plan}).batch(2);
    EXPECT_EQ(sampled.flops, counted.total() - counted.vae) << policy;
    EXPECT_EQ(at::equal(sampled.tokens, plain), policy == "none") << policy;
    return sampled.flops;
  };
  const int64_t usual = flops("none");
  EXPECT_LT(flops("taylor1"), usual);
  EXPECT_LT(flops("recap"), usual);
  EXPECT_LT(flops("lazymar-by-progress"), usual);
  method.cache = {"lazymar-by-progress", {}};
  EXPECT_EQ(step_kinds(make_plan(mar.config, method).steps), "FLFLFLFLFFFF");
}

TEST(AddingAMethod, AMethodIsText) {
  const Mar mar = testing::tiny_mar();
  const DecodingMethod method = method_of_text(kMethod);
  EXPECT_EQ(method_of_text(method_json(method).dump()), method);
  const DecodingPlan plan = make_plan(mar.config, method);
  EXPECT_EQ(plan.count(), 6);
  EXPECT_EQ(plan.head_schedules.size(), 2U);
  const at::Tensor tokens = sample(mar, plan).tokens;
  EXPECT_TRUE(tokens.isfinite().all().item<bool>());
  DecodingMethod other = method;
  other.head[1].solver = "ddpm-small";
  EXPECT_FALSE(at::equal(sample(mar, make_plan(mar.config, other)).tokens, tokens)) << "control";
}

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(LAZYMAR_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(AddingAMethod, ThePageQuotesThisFile) {
  const std::string page = text_of("docs/adding-a-method.md");
  const std::string source =
      text_of("tests/method/adding_a_method_test.cpp") + text_of("src/cache/taylor_head.cpp");
  const std::string begin = "```cpp\n";
  int blocks = 0;
  for (size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at)) {
    at += begin.size();
    const std::string block = page.substr(at, page.find("```", at) - at);
    EXPECT_NE(source.find(block), std::string::npos) << block;
    ++blocks;
  }
  EXPECT_EQ(blocks, 6);
  const size_t json = page.find("```json\n");
  ASSERT_NE(json, std::string::npos);
  const std::string method = page.substr(json + 8, page.find("\n```", json + 8) - json - 8);
  EXPECT_EQ(method, kMethod);
}

}  // namespace
}  // namespace lazymar
