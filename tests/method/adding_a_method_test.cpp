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

/// Tokens on one colour of a checkerboard first, then the others.
void checkerboard(std::span<int64_t> order) {
  const auto side = std::lround(std::sqrt(static_cast<double>(order.size())));
  sort_by_stage(order,
                [side](int64_t position) { return (position / side + position % side) % 2; });
}

/// DPM-Solver++(2M) (Lu et al. 2022, arXiv:2211.01095): second order, one evaluation per step. Its
/// first and last steps are of first order.
std::vector<SolverStep> dpm_solver_2m(std::span<const double> alpha_bars) {
  std::vector<SolverStep> steps;
  const auto log_snr = [&](size_t i) { return std::log(alpha_bars[i] / (1 - alpha_bars[i])) / 2; };
  for (size_t i = 0; i < alpha_bars.size(); ++i) {
    const double now = alpha_bars[i];
    const double next = i > 0 ? alpha_bars[i - 1] : 1.0;
    const double shrink = std::sqrt((1 - next) / (1 - now));
    const double gain = std::sqrt(next) - std::sqrt(now) * shrink;
    const bool looks_back = i > 0 && i + 1 < alpha_bars.size();
    const double slope =
        looks_back ? (log_snr(i - 1) - log_snr(i)) / (log_snr(i) - log_snr(i + 1)) / 2 : 0.0;
    SolverStep step;
    step.x0_x = static_cast<float>(std::sqrt(1 / now));
    step.x0_eps = static_cast<float>(std::sqrt(1 / now - 1));
    step.to_x0 = static_cast<float>(gain * (1 + slope));
    step.to_x = static_cast<float>(shrink);
    step.to_previous_x0 = static_cast<float>(-gain * slope);
    steps.push_back(step);
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

/// Every other diffusion step repeats the prediction of the step before.
class HoldingHead final : public HeadRunner {
 public:
  static bool computes(int64_t index, int64_t steps) {
    return index == steps - 1 || index % 2 == 0;
  }

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override {
    if (computes(step.index, step.steps)) {
      kept_ = full_.predict(head, step);
    }
    return kept_;
  }

 private:
  FullHeadRunner full_{/*modulation_rows=*/1};
  HeadOutput kept_;
};

CachePolicy holding_head() {
  CachePolicy policy = cache_policies().at("none");
  policy.name = "holding-head";
  policy.make_head_runner = [](const DecodingPlan&) -> std::unique_ptr<HeadRunner> {
    return std::make_unique<HoldingHead>();
  };
  policy.head_work = [](const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
    HeadWork work{.active_blocks = config.head_depth};
    for (int64_t i = 0; i < plan.head(step).steps(); ++i) {
      work.full += HoldingHead::computes(i, plan.head(step).steps()) ? 1 : 0;
    }
    return work;
  };
  return policy;
}

const bool kRowsAreAdded = [] {
  orders().add({"checkerboard", checkerboard});
  solvers().add({"dpm++2m", dpm_solver_2m});
  cache_policies().add(lazymar_by_progress());
  cache_policies().add(holding_head());
  return true;
}();

constexpr const char* kMethod = R"({
  "name": "example",
  "order": "checkerboard",
  "stages": [{"tokens": 8, "steps": 4}, {"tokens": 8, "steps": 2}],
  "head": [{"solver": "dpm++2m", "steps": 20, "last_timestep": 950},
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
  const at::Tensor colour = (order.div(4, "floor") + order.remainder(4)).remainder(2);
  EXPECT_TRUE(colour.narrow(1, 0, 8).eq(1).all().item<bool>()) << "decoded in the second stage";
  EXPECT_TRUE(colour.narrow(1, 8, 8).eq(0).all().item<bool>()) << "decoded in the first";
  method.order = "random";
  const at::Tensor other = sample(mar, make_plan(mar.config, method)).recorder.orders;
  EXPECT_FALSE(at::equal(other, order)) << "control";
}

TEST(AddingAMethod, ASolverIsATableAndARow) {
  const std::vector<double> errors = testing::gaussian_errors("dpm++2m", {40, 80, 160});
  for (size_t i = 1; i < errors.size(); ++i) {
    EXPECT_NEAR(std::log2(errors[i - 1] / errors[i]), 2.0, 0.15) << errors[i];
  }
  EXPECT_LT(errors.back(), testing::gaussian_errors("ddim", {160}).front() / 20) << "control";
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
  EXPECT_LT(flops("holding-head"), usual);
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
  other.head[1].solver = "dpm++2m";
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
  const std::string source = text_of("tests/method/adding_a_method_test.cpp");
  const std::string begin = "```cpp\n";
  int blocks = 0;
  for (size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at)) {
    at += begin.size();
    const std::string block = page.substr(at, page.find("```", at) - at);
    EXPECT_NE(source.find(block), std::string::npos) << block;
    ++blocks;
  }
  EXPECT_EQ(blocks, 5);
  const size_t json = page.find("```json\n");
  ASSERT_NE(json, std::string::npos);
  const std::string method = page.substr(json + 8, page.find("\n```", json + 8) - json - 8);
  EXPECT_EQ(method, kMethod);
}

}  // namespace
}  // namespace lazymar
