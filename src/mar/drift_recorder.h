#pragma once
/// What a token's features do between decoding steps: the two redundancies that LazyMAR rests on
/// (Yan et al., arXiv:2503.12450, section 3), measured while a batch is sampled.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "mar/mar.h"
#include "mar/sampler.h"
#include "method/decoding_plan.h"

namespace lazymar {

/// Relative change of a row's feature f between the decoding steps i and j, i < j:
/// |f_j - f_i| / |f_i| (Euclidean norms over the feature's width, in fp32). Each tensor has shape
/// [S (S - 1) / 2, N] (fp32, on the CPU), the pair (i, j) at j (j - 1) / 2 + i; rows in decoding
/// order, the buffer last, so that a row is one token throughout.
struct FeatureDrift {
  at::Tensor output;      ///< what the last decoder block puts out, conditional half
  at::Tensor values;      ///< one decoder layer's values V, conditional half
  at::Tensor difference;  ///< unconditional - conditional output; undefined without guidance
};

/// Watches MAR, whose every step computes everything, and computes the decoder of each step once
/// more, with all rows in the last block, which nobody else needs. Images are as without it, and
/// its work is not counted.
class DriftRecorder final : public SampleObserver {
 public:
  /// Records the first `images` images of every batch, and the values of decoder layer
  /// `value_layer`, or of the last one where there are fewer.
  DriftRecorder(const Mar& mar, const DecodingPlan& plan, int64_t images, int64_t value_layer);

  void begins(const MarBatch& batch) override;
  void conditioned(const DecodeStep& step, const at::Tensor& z) override;

  /// Of each recorded image of the batch, once it is sampled.
  std::vector<FeatureDrift> changes() const;

  /// Memory that the features of one image take until it is sampled.
  static int64_t bytes_per_image(const MarConfig& config, const DecodingPlan& plan);

 private:
  /// One kind of feature, step by step.
  struct History {
    std::vector<at::Tensor> features;  ///< by step: [images, N, W] fp32
    std::vector<at::Tensor> norms;     ///< by step: [images, N]
    at::Tensor changes;                ///< [images, S (S - 1) / 2, N]

    void add(const at::Tensor& feature, int64_t steps);
  };

  void record();

  const Mar& mar_;
  int64_t steps_;
  int64_t images_;
  size_t value_layer_;
  MarBatch batch_;  ///< shares its memory with the one that is sampled
  History output_, values_, difference_;
};

}  // namespace lazymar
