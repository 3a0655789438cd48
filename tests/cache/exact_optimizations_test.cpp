#include "core/exact_optimizations.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cache/lazymar.h"
#include "cache/lazymar_head.h"
#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

struct Switch {
  std::string name;
  bool ExactOptimizations::*saving;
  bool lazy_only;
  bool products = true;  ///< it saves products; else copies, which are not counted
};

const Switch kSwitches[] = {
    {"time_table", &ExactOptimizations::time_table, false},
    {"condition_once", &ExactOptimizations::condition_once, false},
    {"gate_only", &ExactOptimizations::gate_only, true},
    {"first_step", &ExactOptimizations::first_step, false},
    {"row_inputs", &ExactOptimizations::row_inputs, false},
    {"needed_rows", &ExactOptimizations::needed_rows, false},
    {"kept_queries", &ExactOptimizations::kept_queries, true},
    {"needed_stores", &ExactOptimizations::needed_stores, true, false},
};

/// Observes z, which later steps cannot hide.
struct Recorder final : SampleObserver {
  std::vector<at::Tensor> z;
  void conditioned(const DecodeStep&, const at::Tensor& value) override { z.push_back(value); }
};

struct Result {
  std::vector<at::Tensor> z;
  at::Tensor tokens;
  int64_t flops = 0;
};

struct Case {
  std::optional<LazyOptions> lazy;
  double cfg = 2.0;
  std::vector<int64_t> labels{1, 0, 1};
};

Result run(const Mar& mar, const Case& what, const ExactOptimizations& optimizations) {
  SamplingOptions sampling;
  sampling.num_iter = 12;
  sampling.num_sampling_steps = 9;
  sampling.cfg = what.cfg;
  FullRunner full;
  FullHeadRunner full_head;
  const DecodingPlan plan = testing::plan_of(mar.config, sampling, what.lazy);
  LazyMarRunner cache(mar.config, plan, optimizations);
  LazyMarHeadRunner head_cache(3, kModulationRows, optimizations);
  Runner& runner = what.lazy ? static_cast<Runner&>(cache) : full;
  HeadRunner& head = what.lazy ? static_cast<HeadRunner&>(head_cache) : full_head;
  PhiloxNoise noise(1, {3, 4, 5});
  Recorder recorder;
  Sampler sampler(mar, plan, optimizations);
  work_count() = {};
  Result result;
  result.tokens =
      sampler.sample(runner, head, at::tensor(what.labels, c10::kLong), noise, recorder);
  result.flops = work_count().flops;
  result.z = recorder.z;
  return result;
}

double largest_difference(const Result& a, const Result& b) {
  double largest = testing::relative_error(a.tokens, b.tokens);
  for (size_t i = 0; i < a.z.size(); ++i) {
    largest = std::max(largest, testing::relative_error(a.z[i], b.z[i]));
  }
  return largest;
}

std::vector<Case> cases() {
  LazyOptions pruning;
  pruning.warmup = 2;
  pruning.refresh = 4;
  pruning.extra = 2;
  pruning.retain = RetainKind::kList;
  pruning.retain_list = {1.0, 1.0, 1.0, 1.0, 0.5};
  LazyOptions both_halves = pruning;
  both_halves.condition = false;
  LazyOptions condition_only = pruning;
  condition_only.token = false;
  // Not layer 0: there unchanged rows are equal to the last bit, and rounding would choose.
  LazyOptions first_layer = pruning;
  first_layer.prune_layer = 1;
  LazyOptions last_layer = pruning;
  last_layer.prune_layer = 4;
  // Steps that compute every row alternate with steps that do not.
  LazyOptions now_and_then = pruning;
  now_and_then.retain_list = {1.0, 1.0, 1.0, 0.5, 1.0, 0.4, 1.0, 1.0, 0.5, 0.6, 1.0, 0.5};
  std::vector<Case> all{{std::nullopt}, {std::nullopt, 1.0}};
  for (const LazyOptions& lazy :
       {pruning, both_halves, condition_only, first_layer, last_layer, now_and_then}) {
    all.push_back({lazy});
    all.push_back({lazy, 1.0});
  }
  return all;
}

TEST(ExactOptimizations, EachChangesNothingButRounding) {
  const Mar mar = testing::tiny_mar();
  for (const Case& what : cases()) {
    const Result all = run(mar, what, {});
    for (const Switch& each : kSwitches) {
      ExactOptimizations without;
      without.*each.saving = false;
      const Result slow = run(mar, what, without);
      EXPECT_LT(largest_difference(slow, all), 1e-10) << each.name;
      EXPECT_GE(slow.flops, all.flops) << each.name;
    }
  }
  // The control: something else does change it.
  Case other = cases()[2];
  other.lazy->condition_scale = 0.5;
  EXPECT_GT(largest_difference(run(mar, other, {}), run(mar, cases()[2], {})), 1e-6);
}

TEST(ExactOptimizations, EachSavesWhereItApplies) {
  const Mar mar = testing::tiny_mar();
  const Case baseline = cases()[0];
  const Case lazy = cases()[2];
  for (const Switch& each : kSwitches) {
    ExactOptimizations without;
    without.*each.saving = false;
    const Case& what = each.lazy_only ? lazy : baseline;
    EXPECT_EQ(run(mar, what, without).flops > run(mar, what, {}).flops, each.products) << each.name;
  }
}

TEST(ExactOptimizations, TheFirstStepIsAFunctionOfTheClass) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  const auto first_z = [&](const std::vector<int64_t>& labels) {
    return run(mar, {std::nullopt, 2.0, labels}, {}).z.front();
  };
  const at::Tensor a = first_z({1, 0, 1});
  const at::Tensor b = first_z({1, 2, 2});
  const int64_t rows = a.size(0) / 6;
  EXPECT_TRUE(at::equal(a.narrow(0, 0, rows), b.narrow(0, 0, rows)));
  EXPECT_FALSE(at::equal(a.narrow(0, rows, rows), b.narrow(0, rows, rows)));
  EXPECT_TRUE(at::equal(a.narrow(0, 3 * rows, 3 * rows), b.narrow(0, 3 * rows, 3 * rows)));
}

TEST(ExactOptimizations, TheFirstStepsTableEndsWhereItIsFull) {
  const Mar mar = testing::tiny_mar();
  FirstStep unlimited(mar);
  FirstStep of_one(mar, 16 * 32 * 8);
  const RowInputs mask_rows = mar.mask_rows();
  const at::Tensor labels = at::tensor({0, 1, 0}, c10::kLong);
  const at::Tensor positions = at::tensor({3, 4, 5}, c10::kLong).unsqueeze(1);
  const at::Tensor expected = unlimited.z(labels, positions, mask_rows, true);
  const auto flops = [&](FirstStep& table) {
    work_count() = {};
    EXPECT_TRUE(at::equal(table.z(labels, positions, mask_rows, true), expected));
    return work_count().flops;
  };
  const int64_t three = flops(of_one);  // two classes and the unconditional half
  EXPECT_EQ(flops(of_one) * 3, three);  // the class that did not fit
  EXPECT_EQ(flops(unlimited), 0);
}

}  // namespace
}  // namespace lazymar
