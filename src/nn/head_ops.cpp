#include "nn/head_ops.h"

#include <ATen/ATen.h>

#include "nn/device_ops.h"
#include "nn/flops.h"
#include "nn/ops.h"
#include "nn/plain_ops.h"

namespace lazymar {

namespace plain {

HeadMlpOutput head_mlp(const HeadMlp& block) {
  const auto parts = block.modulation.chunk(3, -1);
  const LayerNorm& norm = *block.norm;
  const at::Tensor normed =
      plain::modulated_norm(block.h, norm.weight, norm.bias, norm.eps, parts[0], parts[1]);
  const at::Tensor mlp = (*block.fc2)(at::silu((*block.fc1)(normed)));
  return {mlp, plain::add_gated(block.h, parts[2], mlp)};
}

at::Tensor gated_sums(const GatedSums& sums) {
  at::Tensor out;
  const auto add = [&](const at::Tensor& t) { out = out.defined() ? out + t : t; };
  for (const at::Tensor& residual : sums.residuals) {
    add(residual.unsqueeze(0));
  }
  for (size_t i = 0; i < sums.gates.size(); ++i) {
    add(sums.gates[i].to(sums.type) * sums.values[i].to(sums.type));
  }
  return out.contiguous();
}

at::Tensor posterior(const Posterior& step) {
  const auto c = [&](int64_t i) { return step.coefficients[i]; };
  const at::Tensor x0 = step.x * c(2) - step.eps * c(3);
  const at::Tensor mean = x0 * c(4) + step.x * c(5);
  if (!step.noise.defined()) {
    return mean;
  }
  const at::Tensor fraction = (step.v + 1) / 2;
  const at::Tensor log_variance = fraction * c(0) + (1 - fraction) * c(1);
  return mean + at::exp(0.5 * log_variance) * step.noise * step.temperature;
}

at::Tensor head_window(const HeadWindow& window) {
  at::Tensor x = window.x;
  for (int64_t k = 0; k < window.steps(); ++k) {
    const int64_t index = window.first - k;
    const at::Tensor h = (*window.input_proj)(x) + window.sums[k];
    const auto modulation = window.modulation[k].to(h).chunk(2, -1);
    const at::Tensor normed =
        plain::modulated_norm(h, {}, {}, window.norm_eps, modulation[0], modulation[1]);
    const auto parts = (*window.final_linear)(normed).chunk(2, -1);
    const at::Tensor eps = window.difference.defined()
                               ? parts[0] - window.difference + window.guidance * window.difference
                               : parts[0];
    const at::Tensor noise = index > 0 ? window.noise[index] : at::Tensor();
    x = plain::posterior({x, eps, parts[1], noise, window.coefficients[index], window.temperature});
  }
  return x;
}

}  // namespace plain

HeadMlpOutput head_mlp(const HeadMlp& block) {
  if (const DeviceOps* device = device_ops(block.h); device != nullptr) {
    if (const auto output = device->head_mlp(block)) {
      count_matmul(block.h.size(0), block.fc1->in, block.fc1->out);
      count_matmul(block.h.size(0), block.fc2->in, block.fc2->out);
      return *output;
    }
  }
  const auto parts = block.modulation.chunk(3, -1);
  const LayerNorm& norm = *block.norm;
  const at::Tensor normed =
      modulated_norm(block.h, norm.weight, norm.bias, norm.eps, parts[0], parts[1]);
  const at::Tensor mlp = (*block.fc2)((*block.fc1)(normed, Activation::kSilu));
  return {mlp, add_gated(block.h, parts[2], mlp)};
}

at::Tensor gated_sums(const GatedSums& sums) {
  const DeviceOps* device = device_ops(sums.gates.front());
  return device != nullptr ? device->gated_sums(sums) : plain::gated_sums(sums);
}

at::Tensor posterior(const Posterior& step) {
  const DeviceOps* device = device_ops(step.x);
  return device != nullptr ? device->posterior(step) : plain::posterior(step);
}

bool has_head_window(const at::Tensor& x, int64_t width) {
  const DeviceOps* device = device_ops(x);
  return device != nullptr && device->has_head_window(x, width);
}

at::Tensor head_window(const HeadWindow& window) {
  const DeviceOps* device = device_ops(window.x);
  if (device == nullptr || !device->has_head_window(window.x, window.sums.size(2))) {
    return plain::head_window(window);
  }
  const int64_t rows = window.steps() * window.x.size(0);
  count_matmul(rows, window.input_proj->in, window.input_proj->out);
  count_matmul(rows, window.final_linear->in, window.final_linear->out);
  return device->head_window(window);
}

}  // namespace lazymar
