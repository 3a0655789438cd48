#include "flops/flop_formula.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

double tera(int64_t flops) {
  return static_cast<double>(flops) * 1e-12;
}

struct Settings {
  SamplingOptions sampling;
  std::optional<LazyOptions> lazy;
};

Settings settings(bool lazy) {
  return {{}, lazy ? std::optional(LazyOptions()) : std::nullopt};
}

Workload published(const char* model, const Settings& set) {
  const MarConfig config = published_config(*find_preset(model));
  return {config, kl16_config(), testing::plan_of(config, set.sampling, set.lazy)};
}

Workload published(const char* model, bool lazy) {
  return published(model, settings(lazy));
}

struct Published {
  const char* model;
  bool lazy;
  double original, bound;  ///< TFLOP per image
};

// The original's count, equal to torch's FlopCounterMode, and the bounds with all optimizations if
// the first step's table is free.
constexpr Published kPublished[] = {
    {"mar_base", false, 14.90, 13.87},  {"mar_base", true, 5.54, 4.78},
    {"mar_large", false, 33.32, 31.49}, {"mar_large", true, 12.18, 10.59},
    {"mar_huge", false, 65.43, 62.53},  {"mar_huge", true, 23.85, 20.61},
};

TEST(FlopFormula, OriginalsExecuteWhatIsKnownOfThem) {
  for (const Published& row : kPublished) {
    const Workload work = published(row.model, row.lazy);
    EXPECT_NEAR(tera(original_flops(work, 1).total()), row.original, 0.006) << row.model;
    EXPECT_EQ(original_flops(work, 3).total(), 3 * original_flops(work, 1).total());
  }
  // By part, mar_huge.
  const FlopCount huge = original_flops(published("mar_huge", true), 1);
  EXPECT_NEAR(tera(huge.vae), 0.250, 0.0006);
  EXPECT_NEAR(tera(huge.head_condition), 0.117, 0.0006);
  EXPECT_NEAR(tera(huge.head_mlp), 1.044, 0.0006);
}

TEST(FlopFormula, SavingsComeDownToTheirBound) {
  // The bounds count the buffer's rows of encoder layer 0 once per class instead of once per batch
  // row (0.5 GFLOP per image at mar_base). They count half of the final layer's outputs for
  // unconditional rows (0.02), and no padding of the VAE's phase convolutions (under 1 % of 21).
  for (const Published& row : kPublished) {
    const double flops = tera(FlopFormula(published(row.model, row.lazy)).batch(1).total());
    EXPECT_GT(flops, row.bound * 0.999) << row.model;
    EXPECT_LT(flops, row.bound * 1.002) << row.model;
  }
}

TEST(FlopFormula, BatchIsItsStepsAndWhatTheyShare) {
  const Workload work = published("mar_base", true);
  const FlopFormula formula(work);
  FlopCount steps;
  int64_t lazy = 0;
  for (const DecodeStep& step : formula.steps()) {
    steps += formula.step(step, 4);
    lazy += step.partial() ? 1 : 0;
  }
  const FlopCount batch = formula.batch(4);
  EXPECT_EQ(lazy, 52);
  EXPECT_EQ(batch.head(), steps.head());
  EXPECT_EQ(batch.decoder, steps.decoder);
  EXPECT_EQ(batch.encoder - steps.encoder, int64_t{2} * 4 * 2 * 64 * 3 * 768 * 768);
  EXPECT_EQ(batch.total(), 4 * formula.batch(1).total());
}

TEST(FlopFormula, FirstStepComesFromTheTableUnlessTheSecondIsLazy) {
  Settings hurried = settings(true);
  const FlopFormula usual(published("mar_base", hurried));
  const DecodeStep first = usual.steps().front();
  EXPECT_EQ(usual.step(first, 1).encoder + usual.step(first, 1).decoder, 0);
  EXPECT_EQ(usual.class_table(2).total() * 4, usual.class_table(0).total() * 12);
  hurried.lazy->warmup = 0;
  const FlopFormula hasty(published("mar_base", hurried));
  EXPECT_GT(hasty.step(first, 1).decoder, 0);
  EXPECT_EQ(hasty.class_table(2).total(), 0);
}

TEST(FlopFormula, FollowsEverySetting) {
  const auto total = [](auto change) {
    Settings changed = settings(true);
    change(changed);
    return FlopFormula(published("mar_base", changed)).batch(1).total();
  };
  const int64_t usual = total([](Settings&) {});
  EXPECT_LT(total([](Settings& w) { w.sampling.cfg = 1; }), usual);
  EXPECT_LT(total([](Settings& w) { w.sampling.num_iter = 32; }), usual);
  EXPECT_LT(total([](Settings& w) { w.sampling.num_sampling_steps = 50; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->token = false; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->condition = false; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->head = false; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->refresh = 4; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->head_refresh = 3; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->extra = 60; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy->prune_layer = 6; }), usual);
  EXPECT_GT(total([](Settings& w) { w.lazy.reset(); }), usual);
  // More steps than tokens: the extra ones cost the transformer, but not the head.
  Settings many = settings(false);
  many.sampling.num_iter = 300;
  EXPECT_EQ(FlopFormula(published("mar_base", many)).batch(1).head(),
            FlopFormula(published("mar_base", false)).batch(1).head());
}

}  // namespace
}  // namespace lazymar
