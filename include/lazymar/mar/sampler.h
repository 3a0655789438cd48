#pragma once
/// The decoding loop: labels and noise in, latents out.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/core/noise.h"
#include "lazymar/diffusion/head.h"
#include "lazymar/mar/decoding_plan.h"
#include "lazymar/mar/first_step.h"
#include "lazymar/mar/mar.h"
#include "lazymar/mar/runner.h"

namespace lazymar {

/// Watches a batch being sampled.
class SampleObserver {
 public:
  virtual ~SampleObserver() = default;
  /// Whether the step is computed. Where it is not, its tokens stay zero and caches are as the
  /// steps before left them: for timings of single steps, which need not be right.
  virtual bool wants(const DecodeStep&) { return true; }
  virtual void step_begins(const DecodeStep&) {}
  /// z [halves * B * n, D]: the head's condition, conditional rows first.
  virtual void conditioned(const DecodeStep&, const at::Tensor& /*z*/) {}
  /// tokens [B * n, C] sampled in this step.
  virtual void sampled(const DecodeStep&, const at::Tensor& /*tokens*/) {}
};

/// A network with its sampling settings, and what its batches share.
class Sampler {
 public:
  /// Throws Error (usage) for settings out of range.
  Sampler(const Mar& mar, const SamplingOptions& options, const Savings& savings = {});

  const std::vector<DecodeStep>& plan() const { return plan_; }

  /// Gives the memory of recorded work back to the device.
  void forget_recordings() { head_.forget_recordings(); }

  /// labels [B] int64, on the CPU -> tokens [B, L, C] in raster order, on the model's device. Waits
  /// for the device nowhere.
  at::Tensor sample(Runner& runner, HeadRunner& head_runner, const at::Tensor& labels,
                    NoiseSource& noise, SampleObserver& observer);

 private:
  /// A batch's token orders.
  struct Orders {
    at::Tensor here;   ///< [B, L] int64 on the CPU
    at::Tensor there;  ///< the same on the model's device
    at::Tensor ids;    ///< [B] int64 there: image ids, where the device draws the noise itself
  };

  at::Tensor sample_rows(HeadRunner& head_runner, const at::Tensor& z, const Orders& orders,
                         const DecodeStep& step, NoiseSource& noise);
  /// [T + 1, B * n, C] fp32: by diffusion step, then the starting noise.
  at::Tensor draw_noise(const Orders& orders, const DecodeStep& step, NoiseSource& noise) const;

  const Mar& mar_;
  SamplingOptions options_;
  Savings savings_;
  std::vector<DecodeStep> plan_;
  HeadSampler head_;
  RowInputs mask_rows_;
  FirstStep first_step_;
};

/// tokens [B, L, C] in raster order -> latents [B, C / p^2, h * p, w * p]; h = w = sqrt(L).
/// (MAR's unpatchify: "nhwcpq -> nchpwq".)
at::Tensor unpatchify(const at::Tensor& tokens, int64_t patch_size);

}  // namespace lazymar
