#include "diffusion/schedule.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace lazymar {
namespace {

constexpr int64_t kTrainingSteps = 1000;
constexpr double kMaxBeta = 0.999;

/// Cumulative products of 1 - beta over the training steps, cosine schedule.
std::vector<double> training_alpha_bars() {
  const auto alpha_bar = [](double u) {
    const double c = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<double> products(kTrainingSteps);
  double product = 1.0;
  for (int64_t i = 0; i < kTrainingSteps; ++i) {
    const double from = static_cast<double>(i) / kTrainingSteps;
    const double to = static_cast<double>(i + 1) / kTrainingSteps;
    product *= 1.0 - std::min(1.0 - alpha_bar(to) / alpha_bar(from), kMaxBeta);
    products[static_cast<size_t>(i)] = product;
  }
  return products;
}

/// Evenly strided positions; accumulated step by step, as the original does.
std::vector<int64_t> respaced_timesteps(int64_t steps) {
  const double stride = steps > 1 ? (kTrainingSteps - 1.0) / (static_cast<double>(steps) - 1.0) : 1;
  std::vector<int64_t> timesteps;
  double position = 0.0;
  for (int64_t i = 0; i < steps; ++i) {
    timesteps.push_back(std::lrint(position));  // half to even, as Python's round
    position += stride;
  }
  return timesteps;
}

/// The same as the formula below in one pass: [R, C] each, element by element. The rows are few,
/// and as seventeen operations of ATen they took as long as a product.
template <typename T>
at::Tensor reverse_elements(const PosteriorStep& c, const at::Tensor& x, const at::Tensor& eps,
                            const at::Tensor& v, const at::Tensor& noise, double temperature) {
  at::Tensor out = at::empty(x.sizes(), x.options());
  const auto from = x.accessor<T, 2>();
  const auto predicted = eps.accessor<T, 2>();
  const auto interpolation = v.accessor<T, 2>();
  const auto fresh = (noise.defined() ? noise : x).accessor<T, 2>();
  auto to = out.accessor<T, 2>();
  for (int64_t row = 0; row < x.size(0); ++row) {
    for (int64_t i = 0; i < x.size(1); ++i) {
      const T x0 =
          from[row][i] * c.recip_sqrt_alpha_bar - predicted[row][i] * c.recip_sqrt_alpha_bar_m1;
      to[row][i] = x0 * c.mean_x0 + from[row][i] * c.mean_xt;
      if (noise.defined()) {
        const T fraction = (interpolation[row][i] + 1) / 2;
        const T log_variance = fraction * c.log_beta + (1 - fraction) * c.log_posterior_variance;
        to[row][i] += std::exp(log_variance / 2) * fresh[row][i] * static_cast<T>(temperature);
      }
    }
  }
  return out;
}

}  // namespace

DiffusionSchedule::DiffusionSchedule(int64_t steps) {
  if (steps < 1 || steps > kTrainingSteps) {
    throw usage_error("--num_sampling_steps ", steps, ": must be between 1 and ", kTrainingSteps);
  }
  timesteps_ = respaced_timesteps(steps);
  const std::vector<double> trained = training_alpha_bars();
  std::vector<double> betas;
  double last = 1.0;
  for (const int64_t t : timesteps_) {
    const double kept = trained[static_cast<size_t>(t)];
    betas.push_back(1.0 - kept / last);
    last = kept;
  }
  std::vector<double> variances;
  double alpha_bar = 1.0;
  for (const double beta : betas) {
    const double previous = alpha_bar;
    alpha_bar *= 1.0 - beta;
    const double variance = beta * (1.0 - previous) / (1.0 - alpha_bar);
    variances.push_back(variance);
    coefficients_.push_back({
        .log_beta = static_cast<float>(std::log(beta)),
        .log_posterior_variance = 0.0F,
        .recip_sqrt_alpha_bar = static_cast<float>(std::sqrt(1.0 / alpha_bar)),
        .recip_sqrt_alpha_bar_m1 = static_cast<float>(std::sqrt(1.0 / alpha_bar - 1.0)),
        .mean_x0 = static_cast<float>(beta * std::sqrt(previous) / (1.0 - alpha_bar)),
        .mean_xt = static_cast<float>((1.0 - previous) * std::sqrt(1.0 - beta) / (1.0 - alpha_bar)),
    });
  }
  for (size_t i = 0; i < coefficients_.size(); ++i) {
    // The variance at 0 is 0: its logarithm is replaced by the next one's. With a single step
    // there is no next one, and no noise is ever added.
    const size_t source = i == 0 ? std::min<size_t>(1, coefficients_.size() - 1) : i;
    coefficients_[i].log_posterior_variance = static_cast<float>(std::log(variances[source]));
  }
}

at::Tensor DiffusionSchedule::table() const {
  std::vector<float> values;
  for (const PosteriorStep& c : coefficients_) {
    values.insert(values.end(), {c.log_beta, c.log_posterior_variance, c.recip_sqrt_alpha_bar,
                                 c.recip_sqrt_alpha_bar_m1, c.mean_x0, c.mean_xt});
  }
  return at::tensor(values).view({steps(), 6});
}

at::Tensor DiffusionSchedule::reverse(int64_t i, const at::Tensor& x, const at::Tensor& eps,
                                      const at::Tensor& v, const at::Tensor& noise,
                                      double temperature) const {
  const PosteriorStep& c = step(i);
  if (x.is_cpu()) {
    const at::Tensor added = i > 0 ? noise : at::Tensor();
    return x.scalar_type() == c10::kDouble
               ? reverse_elements<double>(c, x, eps, v, added, temperature)
               : reverse_elements<float>(c, x, eps, v, added, temperature);
  }
  const at::Tensor x0 = x * c.recip_sqrt_alpha_bar - eps * c.recip_sqrt_alpha_bar_m1;
  const at::Tensor mean = x0 * c.mean_x0 + x * c.mean_xt;
  if (i == 0) {
    return mean;
  }
  const at::Tensor fraction = (v + 1) / 2;
  const at::Tensor log_variance = fraction * c.log_beta + (1 - fraction) * c.log_posterior_variance;
  return mean + at::exp(0.5 * log_variance) * noise * temperature;
}

}  // namespace lazymar
