#pragma once
/// The decoding loop: labels and noise in, latents out.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/exact_optimizations.h"
#include "core/noise.h"
#include "diffusion/head.h"
#include "mar/first_step.h"
#include "mar/mar.h"
#include "mar/runner.h"
#include "method/decoding_plan.h"
#include "nn/capture.h"

namespace lazymar {

/// Watches a batch being sampled.
class SampleObserver {
 public:
  virtual ~SampleObserver() = default;
  /// Whether the step is computed. Where it is not, its tokens stay zero and caches are as the
  /// steps before left them: for timings of single steps, which need not be right.
  virtual bool wants(const DecodeStep&) { return true; }
  /// Its tensors are those of the batch in every step.
  virtual void begins(const MarBatch&) {}
  virtual void step_begins(const DecodeStep&) {}
  /// The batch's inputs of the decoder are those of the step. Not called where z of step 0 comes
  /// out of a table.
  virtual void encoded(const DecodeStep&) {}
  /// z [halves * B * n, D]: the head's condition, conditional rows first.
  virtual void conditioned(const DecodeStep&, const at::Tensor& /*z*/) {}
  /// tokens [B * n, C] sampled in this step.
  virtual void sampled(const DecodeStep&, const at::Tensor& /*tokens*/) {}
};

/// A network with its decoding plan, and what its batches share. On devices that capture, the
/// steps of the first batch of a shape are recorded, and replayed for those that follow.
class Sampler {
 public:
  /// Throws Error (usage) for a solver that is unknown.
  Sampler(const Mar& mar, const DecodingPlan& plan, const ExactOptimizations& optimizations = {});

  const DecodingPlan& plan() const { return plan_; }

  /// Gives the memory of recorded work back to the device.
  void forget_captures();

  /// labels [B] int64, on the CPU -> tokens [B, L, C] in raster order, on the model's device. Waits
  /// for the device nowhere. The runners must outlive the sampler or forget_captures().
  at::Tensor sample(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                    NoiseSource& noise, SampleObserver& observer);

 private:
  /// A batch's token orders.
  struct Orders {
    at::Tensor here;   ///< [B, L] int64 on the CPU
    at::Tensor there;  ///< the same on the model's device
    at::Tensor ids;    ///< [B] int64 there: image ids, where the device draws the noise itself
  };
  /// The parts of a decoding step.
  struct RepeatedStep {
    RepeatedWork encoder, decoder;
  };

  /// Begins batch_, tokens_ and the runner's batch.
  void begin(Runner& runner, const at::Tensor& labels, const Orders& orders);
  /// z of the rows to be predicted, [halves * B * n, D].
  at::Tensor compute_z(Runner& runner, const DecodeStep& step, SampleObserver& observer);
  at::Tensor sample_rows(HeadRunner& head_runner, const at::Tensor& z, const Orders& orders,
                         const DecodeStep& step, NoiseSource& noise);
  /// Rows of z [halves * B * n, D] that one process samples: `rows` [B * k] int64 of one half, or
  /// undefined for all -> tokens [B * k, C].
  at::Tensor sample_part(HeadRunner& head_runner, const at::Tensor& z, const at::Tensor& rows,
                         const Orders& orders, const DecodeStep& step, NoiseSource& noise);
  /// [T + 1, rows, C] fp32: by diffusion step, then the starting noise. `rows` as above.
  at::Tensor draw_noise(const Orders& orders, const DecodeStep& step, const at::Tensor& rows,
                        NoiseSource& noise) const;

  const Mar& mar_;
  ExactOptimizations optimizations_;
  DecodingPlan plan_;
  HeadSampler head_;
  RowInputs mask_rows_;
  FirstStep first_step_;
  MarBatch batch_;
  at::Tensor tokens_;                   ///< [B, L, C] in decoding order
  at::Tensor z_;                        ///< room for z of the step that predicts most
  std::vector<RepeatedStep> repeated_;  ///< by step, for batches like batch_
  const Runner* repeated_for_ = nullptr;
};

/// tokens [B, L, C] in raster order -> latents [B, C / p^2, h * p, w * p]; h = w = sqrt(L).
/// (MAR's unpatchify: "nhwcpq -> nchpwq".)
at::Tensor unpatchify(const at::Tensor& tokens, int64_t patch_size);

}  // namespace lazymar
