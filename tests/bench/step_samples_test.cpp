#include "bench/step_samples.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/noise.h"
#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

Workload published_workload(bool lazy) {
  const MarConfig config = published_config(*find_preset("mar_base"));
  return {config, kl16_config(),
          testing::plan_of(config, {}, lazy ? std::optional(LazyOptions()) : std::nullopt)};
}

Workload tiny_workload() {
  SamplingOptions sampling;
  sampling.num_iter = 14;
  sampling.num_sampling_steps = 9;
  LazyOptions lazy;
  lazy.warmup = 2;
  lazy.refresh = 5;
  lazy.prune_layer = 2;
  lazy.extra = 1;
  lazy.retain = RetainKind::kList;  // one kind of lazy step, so that there are gaps
  lazy.retain_list = {0.5};
  const MarConfig config = testing::tiny_config();
  return {config, kl16_config(), testing::plan_of(config, sampling, lazy)};
}

/// Executed FLOPs of each step that is computed.
class StepFlops final : public SampleObserver {
 public:
  explicit StepFlops(const StepSamples* samples) : samples_(samples) {}

  std::map<int64_t, int64_t> flops;

  bool wants(const DecodeStep& step) override {
    return samples_ == nullptr || samples_->computed(step);
  }
  void step_begins(const DecodeStep&) override { before_ = work_count().flops; }
  void sampled(const DecodeStep& step, const at::Tensor&) override {
    flops[step.index] = work_count().flops - before_;
  }

 private:
  const StepSamples* samples_;
  int64_t before_ = 0;
};

std::map<int64_t, int64_t> executed(const Workload& work, const StepSamples* samples) {
  const Mar mar = testing::tiny_mar();
  Sampler sampler(mar, work.plan);
  const auto runner = policy_of(work.plan).make_runner(work.mar, work.plan);
  const auto head = policy_of(work.plan).make_head_runner(work.plan);
  PhiloxNoise noise(1, {3, 4});
  StepFlops observer(samples);
  // Twice, so that the first step's table exists.
  for (int run = 0; run < 2; ++run) {
    sampler.sample(*runner, *head, at::tensor({0, 2}, c10::kLong), noise, observer);
  }
  return observer.flops;
}

TEST(StepSamples, TakeAFewOfEachKind) {
  for (const bool lazy : {false, true}) {
    const Workload work = published_workload(lazy);
    const StepSamples samples(work, 1, 2);
    // First, full; lazy with 1, 0.6 (one step), 0.5, 0.4, 0.15, 0.12 and 0.05 of the rows.
    const int64_t two_of_each = lazy ? 1 + 2 + 1 + 6 * 2 : 1 + 2;
    EXPECT_GE(samples.measured_count(), two_of_each);
    EXPECT_LE(samples.measured_count(), two_of_each + 2) << "and the extremes";
  }
  const StepSamples all(published_workload(true), 1, 1000);
  EXPECT_EQ(all.measured_count(), 64);
}

TEST(StepSamples, WhatIsMeasuredHasWhatItNeeds) {
  const Workload work = published_workload(true);
  const StepSamples samples(work, 1, 1);
  const FlopFormula formula(work);
  const auto& plan = formula.steps();
  for (size_t i = 1; i < plan.size(); ++i) {
    EXPECT_TRUE(!samples.measured(plan[i]) || samples.computed(plan[i - 1])) << i;
    if (samples.computed(plan[i]) && plan[i].partial()) {
      size_t full = i;
      while (plan[full].partial()) {
        --full;
      }
      EXPECT_TRUE(samples.computed(plan[full])) << i;
    }
  }
}

/// A step does the same as in a whole run, although others before it were skipped.
TEST(StepSamples, ComputedStepsExecuteTheSame) {
  const Workload work = tiny_workload();
  const StepSamples samples(work, 2, 1);
  const auto whole = executed(work, nullptr);
  const auto few = executed(work, &samples);
  EXPECT_LT(few.size(), whole.size());
  int64_t measured = 0;
  std::set<int64_t> different;
  for (const DecodeStep& step : work.plan.steps) {
    ASSERT_EQ(few.contains(step.index), samples.computed(step));
    if (samples.computed(step)) {
      EXPECT_EQ(few.at(step.index), whole.at(step.index)) << step.index;
      different.insert(whole.at(step.index));
    }
    measured += samples.measured(step) ? 1 : 0;
  }
  EXPECT_EQ(measured, samples.measured_count());
  EXPECT_GT(different.size(), 3U) << "control: steps are not all alike";
}

/// If time is proportional to FLOPs, the sum is exact, whichever steps were measured.
TEST(StepSamples, ExtrapolatesOverFlops) {
  for (const bool lazy : {false, true}) {
    const Workload work = published_workload(lazy);
    const FlopFormula formula(work);
    for (const int64_t per_kind : {2, 3, 1000}) {
      StepSamples samples(work, 4, per_kind);
      StageSeconds wanted;
      for (const DecodeStep& step : formula.steps()) {
        const FlopCount flops = formula.step(step, 4);
        const StageSeconds seconds{1e-12 * static_cast<double>(flops.encoder),
                                   2e-12 * static_cast<double>(flops.decoder),
                                   3e-12 * static_cast<double>(flops.head()), 0, 0};
        wanted += seconds;
        if (samples.measured(step)) {
          samples.add(step, seconds);
        }
      }
      const StageSeconds sum = samples.sum();
      // Steps of one kind beyond the measured ones take the nearest one's value.
      EXPECT_NEAR(sum.encoder / wanted.encoder, 1, 1e-3) << lazy << ", " << per_kind;
      EXPECT_NEAR(sum.decoder / wanted.decoder, 1, 1e-2) << lazy << ", " << per_kind;
      EXPECT_NEAR(sum.head / wanted.head, 1, 1e-9) << lazy << ", " << per_kind;
      EXPECT_EQ(samples.sum().encoder, 0) << "void again";
    }
  }
}

}  // namespace
}  // namespace lazymar
