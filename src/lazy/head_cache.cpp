#include "lazymar/lazy/head_cache.h"

#include <ATen/ATen.h>

#include "lazymar/nn/ops.h"

namespace lazymar {
namespace {

// The released constants: blocks that keep their whole residual, and the share of the process
// behind which the other blocks' mlp outputs are reused.
constexpr size_t kFirstResidual = 1;
constexpr size_t kLastResidual = 4;
constexpr double kReuseBelow = 0.9;

bool keeps_residual(size_t block) {
  return block >= kFirstResidual && block <= kLastResidual;
}

}  // namespace

HeadOutput HeadCache::predict(const DiffusionHead& head, const HeadStep& step) {
  const bool full = step.index == step.steps - 1 || step.index % refresh_ == 0;
  return full ? predict_full(head, step) : predict_cached(head, step);
}

HeadOutput HeadCache::predict_full(const DiffusionHead& head, const HeadStep& step) {
  const int64_t rows = step.x.size(0);
  blocks_.assign(head.blocks.size(), {});
  at::Tensor h = head.input_proj(step.x).repeat({step.halves, 1});
  const at::Tensor y = step.y(h.size(0));
  for (size_t i = 0; i < head.blocks.size(); ++i) {
    const auto [mlp, gate] = head.blocks[i](h, y);
    const at::Tensor out = add_gated(h, gate, mlp);
    if (keeps_residual(i)) {
      blocks_[i].residual = (out - h).narrow(0, 0, rows);
    } else {
      blocks_[i].mlp = mlp.narrow(0, 0, rows);
    }
    h = out;
  }
  const auto parts = head.final_layer(h, y).chunk(2, -1);
  if (step.halves == 1) {
    return {parts[0], parts[1]};
  }
  const at::Tensor unconditional = parts[0].narrow(0, rows, rows);
  guidance_difference_ = parts[0].narrow(0, 0, rows) - unconditional;
  return {guide(unconditional, guidance_difference_, step.guidance), parts[1].narrow(0, 0, rows)};
}

HeadOutput HeadCache::predict_cached(const DiffusionHead& head, const HeadStep& step) {
  const bool recompute =
      static_cast<double>(step.index) > kReuseBelow * static_cast<double>(step.steps);
  at::Tensor h = head.input_proj(step.x);
  const at::Tensor y = step.y(h.size(0));
  for (size_t i = 0; i < head.blocks.size(); ++i) {
    const HeadBlock& block = head.blocks[i];
    Kept& kept = blocks_[i];
    if (keeps_residual(i)) {
      h = h + kept.residual;
    } else if (recompute) {
      const auto [mlp, gate] = block(h, y);
      kept.mlp = mlp;
      h = add_gated(h, gate, mlp);
    } else {
      h = add_gated(h, block.ada_gate(y), kept.mlp);
    }
  }
  const auto parts = head.final_layer(h, y).chunk(2, -1);
  if (step.halves == 1) {
    return {parts[0], parts[1]};
  }
  return {guide(parts[0] - guidance_difference_, guidance_difference_, step.guidance), parts[1]};
}

}  // namespace lazymar
