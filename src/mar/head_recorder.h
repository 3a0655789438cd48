#pragma once
/// What the diffusion head computes for a few tokens, diffusion step by diffusion step: data on
/// which predictors of the head can be tried without drawing images.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "diffusion/head.h"
#include "mar/mar.h"
#include "mar/sampler.h"
#include "method/decoding_plan.h"

namespace lazymar {

/// One recorded token.
struct RecordedToken {
  int64_t row = 0;            ///< in decoding order
  int64_t decoding_step = 0;  ///< in which the head samples it
  int64_t evaluations = 0;    ///< T of that decoding step
};

/// `tokens` of the L rows at equal distances, in the order in which they are decoded. Throws Error
/// (usage) for more tokens than rows, and for plans that give some tokens of a step more diffusion
/// steps than others.
std::vector<RecordedToken> recorded_tokens(const DecodingPlan& plan, int64_t tokens);

/// Of one image: E evaluations of the head, token by token, each from its first diffusion step (the
/// noisiest) to the last. On the CPU, conditional half.
struct HeadFeatures {
  at::Tensor x;    ///< [E, C] fp32: what the head sees, x_t
  at::Tensor eps;  ///< [E, C] fp32: what it predicts, after guidance
  at::Tensor v;    ///< [E, C] fp32: log-variance interpolation
  at::Tensor mlp;  ///< [E, blocks, W] of the products' type: outputs of the blocks' MLPs
};

/// Stands between a Sampler and the head's runner, and observes the same batch. x, eps and v are
/// those of the run. The MLPs of the recorded tokens are computed a second time, once a decoding
/// step is sampled. Images do not change, and this work is not counted. Not for devices that
/// capture (can_capture()), where only the first batch would pass here.
class HeadRecorder final : public SampleObserver, public HeadRunner {
 public:
  /// Records these tokens of the first `images` images of a batch. `runner` computes every step.
  HeadRecorder(const DiffusionHead& head, HeadRunner& runner,
               const std::vector<RecordedToken>& tokens, int64_t images);

  void begins(const MarBatch& batch) override;
  void conditioned(const DecodeStep& step, const at::Tensor& z) override;
  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override;
  void sampled(const DecodeStep& step, const at::Tensor& tokens) override;

  /// What was recorded of each image, once the batch is sampled.
  std::vector<HeadFeatures> features() const;

  /// Memory and file size of one image's features.
  static int64_t bytes_per_image(const MarConfig& config, const std::vector<RecordedToken>& tokens,
                                 c10::ScalarType products);

 private:
  /// One decoding step, diffusion step by diffusion step: [k, C] each for k tokens of all images.
  struct Loop {
    at::Tensor rows;  ///< [k] int64: of x; image by image
    int64_t tokens_per_image = 0;
    std::vector<at::Tensor> x, eps, v;
    at::Tensor times, condition;  ///< [T, W], [k, W]
  };

  /// [T * k, blocks, W]: outputs of the MLPs for x [T * k, C].
  at::Tensor mlp_outputs(const at::Tensor& x) const;

  const DiffusionHead& head_;
  HeadRunner& runner_;
  std::vector<RecordedToken> tokens_;
  int64_t images_;
  Loop loop_;
  std::vector<std::vector<HeadFeatures>> recorded_;  ///< by image, then token
};

}  // namespace lazymar
