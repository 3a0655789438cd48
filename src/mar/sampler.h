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

/// Observes how a batch is sampled.
class SampleObserver {
 public:
  virtual ~SampleObserver() = default;
  /// Whether the step is computed. If not, its tokens stay zero and caches keep their state: for
  /// timing single steps, whose results do not matter.
  virtual bool wants(const DecodeStep&) { return true; }
  /// The batch keeps these tensors in every step.
  virtual void begins(const MarBatch&) {}
  virtual void step_begins(const DecodeStep&) {}
  /// The batch's decoder inputs are those of this step. Not called if z of step 0 comes from a
  /// table.
  virtual void encoded(const DecodeStep&) {}
  /// z [halves * B * n, D]: the head's condition, conditional rows first.
  virtual void conditioned(const DecodeStep&, const at::Tensor& /*z*/) {}
  /// tokens [B * n, C] sampled in this step.
  virtual void sampled(const DecodeStep&, const at::Tensor& /*tokens*/) {}
};

/// A network with its decoding plan, and what its batches share. On devices that capture, the
/// steps of the first batch of a shape are captured, and replayed for later batches.
class Sampler {
 public:
  /// Throws Error (usage) for an unknown solver.
  Sampler(const Mar& mar, const DecodingPlan& plan, const ExactOptimizations& optimizations = {});

  const DecodingPlan& plan() const { return plan_; }

  /// Returns the memory of captured work to the device.
  void forget_captures();

  /// labels [B] int64, on the CPU -> tokens [B, L, C] in raster order, on the model's device.
  /// Blocks on the device only in a batch that captures, which is also replayed and compared. The
  /// runners must outlive the sampler or forget_captures().
  at::Tensor sample(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                    NoiseSource& noise, SampleObserver& observer);

 private:
  at::Tensor sample_once(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                         NoiseSource& noise, SampleObserver& observer);
  /// Replays the batch that was just captured, and compares it with its `tokens`.
  void check_captures(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                      NoiseSource& noise, SampleObserver& observer, const at::Tensor& tokens);

  /// A batch's token orders.
  struct Orders {
    at::Tensor here;   ///< [B, L] int64 on the CPU
    at::Tensor there;  ///< the same on the model's device
    at::Tensor ids;    ///< [B] int64 there: image ids, if the device draws the noise
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
  at::Tensor z_;                        ///< memory for z of the step that predicts most
  std::vector<RepeatedStep> repeated_;  ///< by step, for batches like batch_
  const Runner* repeated_for_ = nullptr;
};

/// tokens [B, L, C] in raster order -> latents [B, C / p^2, h * p, w * p]; h = w = sqrt(L).
/// (MAR's unpatchify: "nhwcpq -> nchpwq".)
at::Tensor unpatchify(const at::Tensor& tokens, int64_t patch_size);

}  // namespace lazymar
