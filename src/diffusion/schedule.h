#pragma once
/// The respaced diffusion process of the head (Nichol & Dhariwal 2021; MAR's diffusion/).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace lazymar {

/// Coefficients of one reverse step; computed in float64, rounded to fp32 when used.
struct PosteriorStep {
  float log_beta;                ///< upper end of the learned log-variance
  float log_posterior_variance;  ///< lower end, clipped: entry 0 is entry 1's
  float recip_sqrt_alpha_bar;    ///< x_0 = this * x_t - the next * eps
  float recip_sqrt_alpha_bar_m1;
  float mean_x0;  ///< posterior mean = this * x_0 + the next * x_t
  float mean_xt;
};

/// Cosine betas over 1000 steps, respaced to T.
class DiffusionSchedule {
 public:
  /// 1 <= steps <= 1000; throws Error (usage) otherwise.
  explicit DiffusionSchedule(int64_t steps);

  int64_t steps() const { return static_cast<int64_t>(coefficients_.size()); }
  /// Timestep of the original 1000-step process at respaced index i.
  int64_t timestep(int64_t i) const { return timesteps_[static_cast<size_t>(i)]; }
  const PosteriorStep& step(int64_t i) const { return coefficients_[static_cast<size_t>(i)]; }

  /// Every step's coefficients in the order of PosteriorStep: [T, 6] fp32, on the CPU.
  at::Tensor table() const;

  /// x_{t-1} from x_t and the network's output (epsilon prediction, learned variance range, no
  /// clipping): x, eps, v and noise [R, C]. No noise is added at index 0.
  at::Tensor reverse(int64_t i, const at::Tensor& x, const at::Tensor& eps, const at::Tensor& v,
                     const at::Tensor& noise, double temperature) const;

 private:
  std::vector<int64_t> timesteps_;
  std::vector<PosteriorStep> coefficients_;
};

}  // namespace lazymar
