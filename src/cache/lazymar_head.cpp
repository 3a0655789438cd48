#include "cache/lazymar_head.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "diffusion/head_ops.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

// The released constants: the blocks whose whole residual is kept, and the share of the process
// after which the other blocks' mlp outputs are reused.
constexpr size_t kFirstResidual = 1;
constexpr size_t kLastResidual = 4;
constexpr double kReuseBelow = 0.9;

bool keeps_residual(size_t block) {
  return block >= kFirstResidual && block <= kLastResidual;
}

}  // namespace

bool LazyMarHeadRunner::full(int64_t index, int64_t steps) const {
  return index == steps - 1 || index % refresh_ == 0;
}

int64_t LazyMarHeadRunner::last_recomputed(int64_t steps) {
  // Above this index, blocks without a kept residual are recomputed; below it, only their gates.
  return static_cast<int64_t>(std::floor(kReuseBelow * static_cast<double>(steps)));
}

int64_t LazyMarHeadRunner::next_cached(int64_t index, int64_t steps, int64_t last) const {
  do {
    --index;
  } while (index >= last && full(index, steps));
  return index >= last ? index : -1;
}

int64_t LazyMarHeadRunner::kept_bytes() const {
  const auto bytes = [](const at::Tensor& t) {
    return t.defined() ? static_cast<int64_t>(t.nbytes()) : 0;
  };
  int64_t sum = bytes(guidance_difference_);
  for (const Kept& kept : blocks_) {
    sum += bytes(kept.mlp) + bytes(kept.residual);
  }
  return sum;
}

HeadOutput LazyMarHeadRunner::predict(const DiffusionHead& head, const HeadStep& step) {
  if (step.index == step.steps - 1) {
    full_.reset();
    recomputed_.reset();
    reused_.reset();
  }
  return full(step.index, step.steps) ? predict_full(head, step) : predict_cached(head, step);
}

std::optional<HeadAdvance> LazyMarHeadRunner::advance(const DiffusionHead& head,
                                                      const HeadStep& step,
                                                      const HeadProcess& process) {
  if (!gate_only_ || full(step.index, step.steps) || step.index > last_recomputed(step.steps) ||
      !(windows_everywhere_ || has_head_window(step.x, head.input_proj.out))) {
    return std::nullopt;
  }
  int64_t most = 1;
  while (step.index >= most && !full(step.index - most, step.steps)) {
    ++most;
  }
  GatedSums sums;
  sums.type = step.x.scalar_type();
  std::vector<const Linear*> layers;
  for (size_t i = 0; i < head.blocks.size(); ++i) {
    if (keeps_residual(i)) {
      sums.residuals.push_back(blocks_[i].residual);
    } else {
      layers.push_back(&head.blocks[i].ada_gate);
      sums.values.push_back(blocks_[i].mlp);
    }
  }
  layers.push_back(&head.final_ada_rounded);
  auto outputs =
      reused_.window(step.index, most, layers, {step.times, step.condition, step.x.size(0)},
                     [&](int64_t i) { return next_cached(i, step.steps, 0); });
  const at::Tensor modulation = outputs.back();
  outputs.pop_back();
  sums.gates = std::move(outputs);
  HeadWindow window;
  window.input_proj = &head.input_proj;
  window.input_columns = head.input_columns;
  window.final_linear = &head.final_linear;
  window.norm_eps = head.norm_eps;
  window.x = step.x;
  window.sums = gated_sums(sums);
  window.modulation = modulation;
  window.difference = step.halves == 1 ? at::Tensor() : guidance_difference_;
  window.guidance = step.guidance;
  window.noise = process.noise;
  window.coefficients = process.coefficients;
  window.first = step.index;
  window.temperature = process.temperature;
  return HeadAdvance{head_window(window), window.steps()};
}

HeadOutput LazyMarHeadRunner::predict_full(const DiffusionHead& head, const HeadStep& step) {
  const int64_t rows = step.x.size(0);
  blocks_.assign(head.blocks.size(), {});
  const at::Tensor input = head.input_proj(step.x).repeat({step.halves, 1});
  const bool first = step.index == step.steps - 1;
  const auto modulation =
      full_.at(step.index, head.adaptive_layers(first), {step.times, step.condition, input.size(0)},
               [&](int64_t i) { return first || i == 0 ? -1 : (i - 1) / refresh_ * refresh_; });
  const BlocksRun run = run_blocks(head.blocks, input, modulation, /*keep_outputs=*/true);
  keep(run, input, rows);
  const auto parts = head.final_layer(run.h, modulation.back()).chunk(2, -1);
  if (step.halves == 1) {
    return {parts[0], parts[1]};
  }
  const at::Tensor unconditional = parts[0].narrow(0, rows, rows);
  guidance_difference_ = parts[0].narrow(0, 0, rows) - unconditional;
  return {guide(unconditional, guidance_difference_, step.guidance), parts[1].narrow(0, 0, rows)};
}

void LazyMarHeadRunner::keep(const BlocksRun& run, const at::Tensor& input, int64_t rows) {
  const auto of_rows = [rows](const at::Tensor& t) { return t.narrow(-2, 0, rows); };
  const size_t end = std::min(kLastResidual + 1, blocks_.size());
  at::Tensor residuals;  // of all blocks that keep one, from a single difference
  if (run.hs.defined() && end > kFirstResidual) {
    const auto count = static_cast<int64_t>(end - kFirstResidual);
    const auto first = static_cast<int64_t>(kFirstResidual);
    residuals =
        of_rows(run.hs.narrow(0, first, count)) - of_rows(run.hs.narrow(0, first - 1, count));
  }
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const HeadMlpOutput& output = run.outputs[i];
    if (!keeps_residual(i)) {
      blocks_[i].mlp = of_rows(output.mlp);
    } else if (residuals.defined()) {
      blocks_[i].residual = residuals[static_cast<int64_t>(i - kFirstResidual)];
    } else {
      const at::Tensor& before = i == 0 ? input : run.outputs[i - 1].h;
      blocks_[i].residual = of_rows(output.h) - of_rows(before);
    }
  }
}

HeadOutput LazyMarHeadRunner::predict_cached(const DiffusionHead& head, const HeadStep& step) {
  const int64_t threshold = last_recomputed(step.steps);
  const bool recompute = step.index > threshold;
  std::vector<const Linear*> layers;
  for (size_t i = 0; i < head.blocks.size(); ++i) {
    if (!keeps_residual(i)) {
      layers.push_back(recompute || !gate_only_ ? &head.blocks[i].ada : &head.blocks[i].ada_gate);
    }
  }
  layers.push_back(&head.final_ada_rounded);
  at::Tensor h = head.input_proj(step.x);
  Modulation& kind = recompute ? recomputed_ : reused_;
  const auto modulation =
      kind.at(step.index, layers, {step.times, step.condition, h.size(0)},
              [&](int64_t i) { return next_cached(i, step.steps, recompute ? threshold + 1 : 0); });
  size_t layer = 0;
  for (size_t i = 0; i < head.blocks.size(); ++i) {
    Kept& kept = blocks_[i];
    if (keeps_residual(i)) {
      h = h + kept.residual;
    } else if (recompute) {
      size_t end = i + 1;  // of the blocks in a row that are recomputed
      while (end < head.blocks.size() && !keeps_residual(end)) {
        ++end;
      }
      const std::span all(head.blocks);
      const BlocksRun run =
          run_blocks(all.subspan(i, end - i), h, std::span(modulation).subspan(layer, end - i),
                     /*keep_outputs=*/true);
      for (size_t block = i; block < end; ++block) {
        blocks_[block].mlp = run.outputs[block - i].mlp;
      }
      layer += end - i;
      h = run.h;
      i = end - 1;
    } else {
      const at::Tensor& output = modulation[layer++];
      const int64_t width = h.size(1);
      h = add_gated(h, output.narrow(1, output.size(1) - width, width), kept.mlp);
    }
  }
  const auto parts = head.final_layer(h, modulation.back()).chunk(2, -1);
  if (step.halves == 1) {
    return {parts[0], parts[1]};
  }
  return {guide(parts[0] - guidance_difference_, guidance_difference_, step.guidance), parts[1]};
}

}  // namespace lazymar
