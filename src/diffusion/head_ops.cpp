#include "diffusion/head_ops.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "nn/device_ops.h"
#include "nn/flops.h"
#include "nn/ops.h"
#include "nn/plain_ops.h"

namespace lazymar {
namespace {

bool blocks_in_one_launch = true;

}  // namespace

namespace plain {

HeadMlpOutput head_mlp(const HeadMlp& block) {
  const auto parts = block.modulation.chunk(3, -1);
  const LayerNorm& norm = *block.norm;
  const at::Tensor normed =
      plain::modulated_norm(block.h, norm.weight, norm.bias, norm.eps, parts[0], parts[1]);
  const at::Tensor mlp = (*block.fc2)(at::silu((*block.fc1)(normed)));
  return {mlp, plain::add_gated(block.h, parts[2], mlp)};
}

HeadBlocksOutput head_blocks(std::vector<HeadMlp> blocks) {
  std::vector<at::Tensor> mlps;
  std::vector<at::Tensor> hs;
  for (HeadMlp& block : blocks) {
    if (!hs.empty()) {
      block.h = hs.back();
    }
    HeadMlpOutput output = plain::head_mlp(block);
    mlps.push_back(std::move(output.mlp));
    hs.push_back(std::move(output.h));
  }
  return {at::stack(mlps), at::stack(hs)};
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

Reversed reverse_step(const ReverseStep& step) {
  const auto c = [&](int64_t i) { return step.coefficients[i]; };
  const at::Tensor x0 = step.x * c(0) - step.eps * c(1);
  at::Tensor x = x0 * c(2) + step.x * c(3);
  if (step.previous_x0.defined()) {
    x = x + step.previous_x0 * c(4);
  }
  if (step.noise.defined()) {
    const at::Tensor fraction = (step.v + 1) / 2;
    const at::Tensor log_variance = fraction * c(5) + (1 - fraction) * c(6);
    x = x + at::exp(0.5 * log_variance) * step.noise * step.temperature * c(7);
  }
  return {x, step.keep_x0 ? x0 : at::Tensor()};
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
    x = plain::reverse_step({x,
                             eps,
                             parts[1],
                             window.noise[index],
                             window.coefficients[index],
                             window.temperature,
                             {},
                             false})
            .x;
  }
  return x;
}

}  // namespace plain

HeadMlpOutput head_mlp(const HeadMlp& block) {
  if (const auto* device = device_ops<HeadDeviceOps>(block.h); device != nullptr) {
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

bool can_launch_blocks(const at::Tensor& h) {
  return blocks_in_one_launch && device_ops<HeadDeviceOps>(h) != nullptr;
}

std::optional<HeadBlocksOutput> head_blocks(const std::vector<HeadMlp>& blocks) {
  const at::Tensor& h = blocks.front().h;
  std::optional<HeadBlocksOutput> output = device_ops<HeadDeviceOps>(h)->head_blocks(blocks);
  if (output) {
    for (const HeadMlp& block : blocks) {
      count_matmul(h.size(0), block.fc1->in, block.fc1->out);
      count_matmul(h.size(0), block.fc2->in, block.fc2->out);
    }
  }
  return output;
}

void enable_head_blocks(bool on) {
  blocks_in_one_launch = on;
}

at::Tensor gated_sums(const GatedSums& sums) {
  const auto* device = device_ops<HeadDeviceOps>(sums.gates.front());
  return device != nullptr ? device->gated_sums(sums) : plain::gated_sums(sums);
}

namespace {

/// The same as its plain twin in one pass, element by element. There are few rows, and seventeen
/// ATen operations took as long as a product.
template <typename T>
Reversed reverse_elements(const ReverseStep& step) {
  Reversed out{at::empty(step.x.sizes(), step.x.options()), {}};
  if (step.keep_x0) {
    out.x0 = at::empty(step.x.sizes(), step.x.options());
  }
  const auto of = [&](const at::Tensor& t) {
    return (t.defined() ? t : step.x).template accessor<T, 2>();
  };
  const auto c = step.coefficients.accessor<T, 1>();
  const auto from = of(step.x);
  const auto predicted = of(step.eps);
  const auto interpolation = of(step.v);
  const auto fresh = of(step.noise);
  const auto previous = of(step.previous_x0);
  auto to = of(out.x);
  auto kept = of(out.x0);
  const T scale = static_cast<T>(step.temperature) * c[7];
  for (int64_t row = 0; row < step.x.size(0); ++row) {
    for (int64_t i = 0; i < step.x.size(1); ++i) {
      const T x0 = from[row][i] * c[0] - predicted[row][i] * c[1];
      to[row][i] = x0 * c[2] + from[row][i] * c[3];
      if (step.previous_x0.defined()) {
        to[row][i] += previous[row][i] * c[4];
      }
      if (step.noise.defined()) {
        const T fraction = (interpolation[row][i] + 1) / 2;
        const T log_variance = fraction * c[5] + (1 - fraction) * c[6];
        to[row][i] += std::exp(log_variance / 2) * fresh[row][i] * scale;
      }
      if (step.keep_x0) {
        kept[row][i] = x0;
      }
    }
  }
  return out;
}

}  // namespace

Reversed reverse_step(const ReverseStep& step) {
  if (const auto* device = device_ops<HeadDeviceOps>(step.x); device != nullptr) {
    return device->reverse_step(step);
  }
  if (step.x.is_cpu() && step.x.scalar_type() == c10::kDouble) {
    return reverse_elements<double>(step);
  }
  if (step.x.is_cpu() && step.x.scalar_type() == c10::kFloat) {
    return reverse_elements<float>(step);
  }
  return plain::reverse_step(step);
}

bool has_head_window(const at::Tensor& x, int64_t width) {
  const auto* device = device_ops<HeadDeviceOps>(x);
  return device != nullptr && device->has_head_window(x, width);
}

at::Tensor head_window(const HeadWindow& window) {
  const auto* device = device_ops<HeadDeviceOps>(window.x);
  if (device == nullptr || !device->has_head_window(window.x, window.sums.size(2))) {
    return plain::head_window(window);
  }
  const int64_t rows = window.steps() * window.x.size(0);
  count_matmul(rows, window.input_proj->in, window.input_proj->out);
  count_matmul(rows, window.final_linear->in, window.final_linear->out);
  return device->head_window(window);
}

}  // namespace lazymar
