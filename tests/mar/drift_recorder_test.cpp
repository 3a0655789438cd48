#include "mar/drift_recorder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

constexpr int64_t kSteps = 6;

SamplingOptions short_run(double cfg) {
  SamplingOptions options;
  options.num_iter = kSteps;
  options.num_sampling_steps = 4;
  options.cfg = cfg;
  return options;
}

/// The slow version of a step: every decoder block on every row, from the decoder's inputs. For
/// step 0 the table must be off.
class Witness final : public SampleObserver {
 public:
  std::vector<at::Tensor> outputs, values;

  explicit Witness(const Mar& mar) : mar_(mar) {}

  void begins(const MarBatch& batch) override { batch_ = batch; }
  void encoded(const DecodeStep&) override {
    at::Tensor h = batch_.decoder.x.clone();
    for (size_t i = 0; i < mar_.decoder_blocks.size(); ++i) {
      const Block& block = mar_.decoder_blocks[i];
      if (i == 3) {
        values.push_back(block.keys_values(block.normed(h)).chunk(2, 2)[1]);
      }
      h = block(h);
    }
    outputs.push_back(h);
  }

 private:
  const Mar& mar_;
  MarBatch batch_;
};

struct Sampled {
  at::Tensor tokens;
  WorkCount work;
};

Sampled sample(const Mar& mar, double cfg, SampleObserver& observer,
               const ExactOptimizations& optimizations = {}) {
  Sampler sampler(mar, testing::plan_of(mar.config, short_run(cfg)), optimizations);
  FullRunner runner;
  FullHeadRunner head;
  PhiloxNoise noise(1, {3, 4, 5});
  work_count() = {};
  const at::Tensor tokens =
      sampler.sample(runner, head, at::tensor({1, 2, 0}, c10::kLong), noise, observer);
  return {tokens, work_count()};
}

DriftRecorder recorder_of(const Mar& mar, double cfg, int64_t images) {
  return {mar, testing::plan_of(mar.config, short_run(cfg)), images, 3};
}

at::Tensor expected(const std::vector<at::Tensor>& features, int64_t image) {
  std::vector<at::Tensor> pairs;
  for (size_t to = 1; to < features.size(); ++to) {
    for (size_t from = 0; from < to; ++from) {
      const at::Tensor kept = features[from][image];
      pairs.push_back((features[to][image] - kept).pow(2).sum(-1).sqrt() /
                      kept.pow(2).sum(-1).sqrt());
    }
  }
  return at::stack(pairs).to(c10::kFloat);
}

TEST(DriftRecorder, ChangesAreThoseOfTheFeatures) {
  const Mar mar = testing::tiny_mar();
  for (const double cfg : {1.0, 2.0}) {
    ExactOptimizations without_table;
    without_table.first_step = false;
    Witness witness(mar);
    sample(mar, cfg, witness, without_table);
    DriftRecorder recorder = recorder_of(mar, cfg, 2);
    sample(mar, cfg, recorder);
    const std::vector<FeatureDrift> recorded = recorder.changes();
    ASSERT_EQ(recorded.size(), 2U);
    for (int64_t image = 0; image < 2; ++image) {
      const FeatureDrift& changes = recorded[static_cast<size_t>(image)];
      EXPECT_LT(testing::relative_error(changes.output, expected(witness.outputs, image)), 1e-5);
      EXPECT_LT(testing::relative_error(changes.values, expected(witness.values, image)), 1e-5);
      // The control: another image has other changes.
      EXPECT_GT(testing::relative_error(changes.output, expected(witness.outputs, 2)), 1e-2);
      ASSERT_EQ(changes.difference.defined(), cfg != 1.0);
      if (cfg != 1.0) {
        std::vector<at::Tensor> differences;
        for (const at::Tensor& h : witness.outputs) {
          differences.push_back(h.narrow(0, 3, 3) - h.narrow(0, 0, 3));
        }
        EXPECT_LT(testing::relative_error(changes.difference, expected(differences, image)), 1e-4);
      }
    }
  }
}

TEST(DriftRecorder, ImagesAndCountedWorkAreAsWithoutIt) {
  const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  SampleObserver nobody;
  const Sampled without = sample(mar, 2.0, nobody);
  DriftRecorder recorder = recorder_of(mar, 2.0, 3);
  const Sampled with = sample(mar, 2.0, recorder);
  EXPECT_TRUE(at::equal(with.tokens, without.tokens));
  EXPECT_EQ(with.work.flops, without.work.flops);
  EXPECT_EQ(with.work.block_rows, without.work.block_rows);
}

TEST(DriftRecorder, OneStepHasNoPair) {
  const Mar mar = testing::tiny_mar();
  SamplingOptions options = short_run(2.0);
  options.num_iter = 1;
  Sampler sampler(mar, testing::plan_of(mar.config, options));
  FullRunner runner;
  DriftRecorder recorder(mar, sampler.plan(), 1, 100);
  FullHeadRunner head;
  PhiloxNoise noise(1, {3});
  sampler.sample(runner, head, at::tensor({1}, c10::kLong), noise, recorder);
  EXPECT_EQ(recorder.changes()[0].output.sizes().vec(),
            (std::vector<int64_t>{0, mar.config.rows()}));
}

TEST(DriftRecorder, MemoryIsKnownBeforehand) {
  // mar_huge, 64 steps: 105 MB of features and 2.6 MB of changes, of each kind.
  const MarConfig huge = published_config(*find_preset("mar_huge"));
  SamplingOptions unguided;
  unguided.cfg = 1.0;
  const int64_t bytes = DriftRecorder::bytes_per_image(huge, testing::plan_of(huge, {}));
  EXPECT_EQ(bytes, 3 * (64LL * 320 * 1280 + 2016 * 320) * 4);
  EXPECT_EQ(DriftRecorder::bytes_per_image(huge, testing::plan_of(huge, unguided)) * 3, bytes * 2);
}

}  // namespace
}  // namespace lazymar
