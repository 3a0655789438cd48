#pragma once
/// How a token's outputs change between decoding steps: the two redundancies that LazyMAR exploits
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
/// [S (S - 1) / 2, N] (fp32, on the CPU), with the pair (i, j) at j (j - 1) / 2 + i. Rows are in
/// decoding order, the buffer last, so that a row is one token throughout.
struct FeatureDrift {
  at::Tensor output;      ///< output of the last decoder block, conditional half
  at::Tensor values;      ///< one decoder layer's values V, conditional half
  at::Tensor difference;  ///< unconditional - conditional output; undefined without guidance
};

/// Observes plain MAR and computes the decoder of each step a second time, with all rows in the
/// last block, which sampling does not need. Images do not change, and this work is not counted.
class DriftRecorder final : public SampleObserver {
 public:
  /// Records the first `images` images of every batch, and the values of decoder layer
  /// `value_layer`, or of the last layer if there are fewer.
  DriftRecorder(const Mar& mar, const DecodingPlan& plan, int64_t images, int64_t value_layer);

  void begins(const MarBatch& batch) override;
  void conditioned(const DecodeStep& step, const at::Tensor& z) override;

  /// The drift of each recorded image, once the batch is sampled.
  std::vector<FeatureDrift> changes() const;

  /// Memory that the features of one image need until it is sampled.
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
  MarBatch batch_;  ///< shares its memory with the sampled one
  History output_, values_, difference_;
};

}  // namespace lazymar
