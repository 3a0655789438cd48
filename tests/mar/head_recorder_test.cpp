#include "mar/head_recorder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/errors.h"
#include "support/method.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

constexpr int64_t kDiffusionSteps = 5;

const Mar& network() {
  static const Mar mar = testing::tiny_mar(testing::tiny_config(), "fp32");
  return mar;
}

DecodingPlan plan(double cfg) {
  SamplingOptions options;
  options.num_iter = 6;
  options.num_sampling_steps = kDiffusionSteps;
  options.cfg = cfg;
  return testing::plan_of(network().config, options);
}

/// The slow version: every MLP output of the conditional rows, when the loop gets there. Numbers by
/// decoding step and diffusion step, first to last.
class Witness final : public HeadRunner {
 public:
  struct Step {
    at::Tensor x, eps, v, mlp;  ///< [R, C] and [R, blocks, W]
  };
  std::vector<std::vector<Step>> steps;

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override {
    if (step.index == step.steps - 1) {
      steps.emplace_back();
    }
    const HeadOutput output = full_.predict(head, step);
    const at::Tensor sum = step.times[step.index] + step.condition.narrow(0, 0, step.x.size(0));
    const at::Tensor y = sum * at::sigmoid(sum);
    at::Tensor h = head.input_proj(step.x);
    std::vector<at::Tensor> mlps;
    for (const HeadBlock& block : head.blocks) {
      const HeadMlpOutput of = block(h, block.ada(y));
      mlps.push_back(of.mlp);
      h = of.h;
    }
    steps.back().push_back({step.x.clone(), output.eps, output.v, at::stack(mlps, 1)});
    return output;
  }

 private:
  FullHeadRunner full_;
};

struct Sampled {
  at::Tensor tokens;
  WorkCount work;
};

Sampled sample(const DecodingPlan& plan, HeadRunner& head, SampleObserver& observer) {
  Sampler sampler(network(), plan);
  FullRunner runner;
  PhiloxNoise noise(1, {3, 4, 5});
  work_count() = {};
  const at::Tensor tokens =
      sampler.sample(runner, head, at::tensor({1, 2, 0}, c10::kLong), noise, observer);
  return {tokens, work_count()};
}

TEST(HeadRecorder, FeaturesAreThoseOfTheLoop) {
  for (const double cfg : {1.0, 2.0}) {
    const DecodingPlan of = plan(cfg);
    Witness witness;
    SampleObserver nobody;
    sample(of, witness, nobody);
    FullHeadRunner full;
    const std::vector<RecordedToken> tokens = recorded_tokens(of, 7);
    HeadRecorder recorder(network().head, full, tokens, 2);
    sample(of, recorder, recorder);
    const std::vector<HeadFeatures> features = recorder.features();
    ASSERT_EQ(features.size(), 2U);
    for (int64_t image = 0; image < 2; ++image) {
      const HeadFeatures& recorded = features[static_cast<size_t>(image)];
      ASSERT_EQ(recorded.mlp.sizes().vec(), (std::vector<int64_t>{7 * kDiffusionSteps, 6, 24}));
      for (int64_t token = 0; token < 7; ++token) {
        const RecordedToken& what = tokens[static_cast<size_t>(token)];
        const DecodeStep& step = of.steps[static_cast<size_t>(what.decoding_step)];
        const int64_t row = image * step.predicted() + what.row - step.first;
        for (int64_t i = 0; i < kDiffusionSteps; ++i) {
          const Witness::Step& seen =
              witness.steps[static_cast<size_t>(step.index)][static_cast<size_t>(i)];
          const int64_t at = token * kDiffusionSteps + i;
          EXPECT_TRUE(at::equal(recorded.x[at], seen.x[row]));
          EXPECT_TRUE(at::equal(recorded.eps[at], seen.eps[row]));
          EXPECT_TRUE(at::equal(recorded.v[at], seen.v[row]));
          EXPECT_LT(testing::relative_error(recorded.mlp[at], seen.mlp[row]), 1e-5);
          const int64_t other = (row + 1) % seen.mlp.size(0);
          EXPECT_GT(testing::relative_error(recorded.mlp[at], seen.mlp[other]), 1e-3) << "control";
        }
      }
    }
  }
}

TEST(HeadRecorder, ImagesAndCountedWorkAreAsWithoutIt) {
  const DecodingPlan of = plan(2.0);
  FullHeadRunner full, inner;
  SampleObserver nobody;
  const Sampled without = sample(of, full, nobody);
  HeadRecorder recorder(network().head, inner, recorded_tokens(of, 16), 3);
  const Sampled with = sample(of, recorder, recorder);
  EXPECT_TRUE(at::equal(with.tokens, without.tokens));
  EXPECT_EQ(with.work.flops, without.work.flops);
  EXPECT_EQ(with.work.head_rows, without.work.head_rows);
}

TEST(HeadRecorder, TokensAreSpreadOverTheOrder) {
  const DecodingPlan of = plan(2.0);
  const std::vector<RecordedToken> all = recorded_tokens(of, 16);
  ASSERT_EQ(all.size(), 16U);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].row, 15 - static_cast<int64_t>(i)) << "as they are decoded";
    EXPECT_EQ(all[i].evaluations, kDiffusionSteps);
  }
  std::vector<int64_t> rows;
  for (const RecordedToken& token : recorded_tokens(of, 4)) {
    rows.push_back(token.row);
    const DecodeStep& step = of.steps[static_cast<size_t>(token.decoding_step)];
    EXPECT_TRUE(token.row >= step.first && token.row < step.masked);
  }
  EXPECT_EQ(rows, (std::vector<int64_t>{14, 10, 6, 2}));
  EXPECT_TRUE(testing::contains(testing::refused([&] { recorded_tokens(of, 17); }),
                                "17 tokens are more than the image's 16"));
}

TEST(HeadRecorder, APlanWithDetailIsRefused) {
  SamplingOptions two;
  two.num_iter = 2;
  PlanOptions detail;
  detail.detail = "0.5:8";
  const DecodingPlan of = make_plan(network().config, method_of(two, std::nullopt, detail));
  EXPECT_TRUE(
      testing::contains(testing::refused([&] { recorded_tokens(of, 4); }), "add --detail 0:1"));
}

TEST(HeadRecorder, SizeIsKnownBeforehand) {
  const DecodingPlan of = plan(2.0);
  const std::vector<RecordedToken> tokens = recorded_tokens(of, 7);
  FullHeadRunner full;
  HeadRecorder recorder(network().head, full, tokens, 1);
  sample(of, recorder, recorder);
  int64_t bytes = 0;
  const HeadFeatures features = recorder.features().front();
  for (const at::Tensor& part : {features.x, features.eps, features.v, features.mlp}) {
    bytes += static_cast<int64_t>(part.nbytes());
  }
  EXPECT_EQ(HeadRecorder::bytes_per_image(network().config, tokens, c10::kFloat), bytes);
  EXPECT_EQ(HeadRecorder::bytes_per_image(network().config, tokens, c10::kBFloat16),
            bytes - static_cast<int64_t>(features.mlp.nbytes()) / 2);
}

}  // namespace
}  // namespace lazymar
