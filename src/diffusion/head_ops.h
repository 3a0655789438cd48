#pragma once
/// Operations of the diffusion head's loop that devices may fuse. Versions in plain ATen are used
/// on CPUs and wherever no kernel fits. The table of a device's kernels is at the end
/// (nn/device_ops.h). Everything here has the type of x; gates, values and modulation may have the
/// product type.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/linear.h"

namespace lazymar {

/// A block of the head: an MLP after a modulated norm, added through a gate.
struct HeadMlp {
  const LayerNorm* norm = nullptr;
  const Linear* fc1 = nullptr;  ///< W -> W, followed by SiLU
  const Linear* fc2 = nullptr;  ///< W -> W
  at::Tensor h;                 ///< [R, W]
  at::Tensor modulation;        ///< [R, 3W]: shift, scale, gate; of the product type
};

struct HeadMlpOutput {
  at::Tensor mlp;  ///< [R, W], of the product type
  at::Tensor h;    ///< h + gate * mlp, [R, W]
};

/// mlp = fc2(silu(fc1(norm(h) * (1 + scale) + shift))), and the new h.
HeadMlpOutput head_mlp(const HeadMlp& block);

/// Blocks in a row, each on the h that the one before it makes.
struct HeadBlocksOutput {
  at::Tensor mlps;  ///< [blocks, R, W]: HeadMlpOutput::mlp of each
  at::Tensor hs;    ///< [blocks, R, W]: HeadMlpOutput::h of each
};

/// True if the device may launch blocks together; on CPUs it is false, and costs nothing.
bool can_launch_blocks(const at::Tensor& h);

/// All blocks in one launch, if can_launch_blocks(); empty if no kernel fits them. Only the first
/// block's h is given.
std::optional<HeadBlocksOutput> head_blocks(const std::vector<HeadMlp>& blocks);

/// On by default; off launches every block by itself (--head_blocks off).
void enable_head_blocks(bool on);

/// What the head's blocks add to its input, if all of it is known in advance.
struct GatedSums {
  std::vector<at::Tensor> residuals;  ///< [R, W]
  std::vector<at::Tensor> gates;      ///< [K, R, W], by diffusion step
  std::vector<at::Tensor> values;     ///< [R, W], one per gate
  c10::ScalarType type = c10::kFloat;
};

/// Sum of the residuals + sum of gate * value: [K, R, W] of `type`. At least one gate.
at::Tensor gated_sums(const GatedSums& sums);

/// One diffusion step of a solver.
struct ReverseStep {
  at::Tensor x, eps, v;     ///< [R, C]; eps after guidance
  at::Tensor noise;         ///< [R, C]; undefined if the step adds no noise
  at::Tensor coefficients;  ///< [8]: SolverStep (diffusion/solvers.h) in its order, on x's device
  double temperature = 1.0;
  at::Tensor previous_x0;  ///< [R, C]: of the step before; undefined if the step does not use it
  bool keep_x0 = false;    ///< whether the next step needs this one's x0
};

struct Reversed {
  at::Tensor x;   ///< [R, C]
  at::Tensor x0;  ///< [R, C], if requested
};

/// The formula at SolverStep.
Reversed reverse_step(const ReverseStep& step);

/// Diffusion steps first, first - 1, ... of independent rows: input product, what the blocks add,
/// the final layer, guidance and the solver's step, which must not use the step before.
struct HeadWindow {
  const Linear* input_proj = nullptr;    ///< C -> W
  at::Tensor input_columns;              ///< its weight transposed, [C, W]; see DiffusionHead
  const Linear* final_linear = nullptr;  ///< W -> 2C
  double norm_eps = 1e-6;
  at::Tensor x;             ///< [R, C]
  at::Tensor sums;          ///< [K, R, W]: what the blocks add, by step
  at::Tensor modulation;    ///< [K, R, 2W]: shift and scale of the final layer; maybe rounded
  at::Tensor difference;    ///< eps_c - eps_u, [R, C]; undefined without guidance
  at::Tensor guidance;      ///< one value
  at::Tensor noise;         ///< [*, R, C], by diffusion step
  at::Tensor coefficients;  ///< [*, 8], by diffusion step: SolverStep in its order
  int64_t first = 0;
  double temperature = 1.0;

  int64_t steps() const { return sums.size(0); }
};

/// True if the device computes several steps in one launch.
bool has_head_window(const at::Tensor& x, int64_t width);

/// x [R, C] after all steps.
at::Tensor head_window(const HeadWindow& window);

namespace plain {
HeadMlpOutput head_mlp(const HeadMlp& block);
HeadBlocksOutput head_blocks(std::vector<HeadMlp> blocks);
at::Tensor gated_sums(const GatedSums& sums);
Reversed reverse_step(const ReverseStep& step);
at::Tensor head_window(const HeadWindow& window);
}  // namespace plain

struct HeadDeviceOps {
  at::Tensor (*gated_sums)(const GatedSums& sums) = nullptr;
  /// Empty if no kernel fits.
  std::optional<HeadMlpOutput> (*head_mlp)(const HeadMlp& block) = nullptr;
  /// Likewise.
  std::optional<HeadBlocksOutput> (*head_blocks)(const std::vector<HeadMlp>& blocks) = nullptr;
  bool (*has_head_window)(const at::Tensor& x, int64_t width) = nullptr;
  at::Tensor (*head_window)(const HeadWindow& window) = nullptr;
  Reversed (*reverse_step)(const ReverseStep& step) = nullptr;
};

}  // namespace lazymar
