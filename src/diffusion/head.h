#pragma once
/// The diffusion MLP that samples tokens from z (MAR, models/diffloss.py), and its sampling loop.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "core/exact_optimizations.h"
#include "core/network_config.h"
#include "diffusion/head_ops.h"
#include "diffusion/modulation.h"
#include "diffusion/solvers.h"
#include "method/head_schedule.h"
#include "nn/capture.h"
#include "nn/linear.h"

namespace lazymar {

/// Residual block with adaptive LayerNorm: h += gate * mlp(in_ln(h) * (1 + scale) + shift), where
/// (shift, scale, gate) = ada(y) and y = silu(time + condition).
struct HeadBlock {
  LayerNorm in_ln;
  Linear fc1, fc2;
  Linear ada;       ///< W -> 3W
  Linear ada_gate;  ///< the last third of ada: W -> W

  /// h [R, W], ada(y) [R, 3W].
  HeadMlpOutput operator()(const at::Tensor& h, const at::Tensor& modulation) const;
};

/// The head's weights. Its first product, its last ones and those of the timesteps are exact: the
/// first diffusion step (index T - 1) magnifies an error of eps some 350 times. The other steps
/// magnify it less than twofold.
struct DiffusionHead {
  Linear input_proj, cond_embed, time_fc1, time_fc2, final_ada, final_linear;
  Linear final_ada_rounded;  ///< final_ada in the format of adaptive layers
  /// input_proj's weight transposed, [C, W], so that a GPU's threads read contiguous memory.
  /// Undefined if the format is not dense.
  at::Tensor input_columns;
  std::vector<HeadBlock> blocks;
  double norm_eps = 1e-6;

  /// Every block's ada, then final_ada: exact for the first diffusion step, else rounded.
  std::vector<const Linear*> adaptive_layers(bool first) const;

  int64_t channels() const { return input_proj.in; }

  /// Embeddings of timesteps, [T, W]; sinusoids in fp32 whatever the weights' type.
  at::Tensor time_table(std::span<const int64_t> timesteps) const;
  /// h [R, W] and final_ada(y) [R, 2W] -> eps and v side by side, [R, 2C].
  at::Tensor final_layer(const at::Tensor& h, const at::Tensor& modulation) const;
};

/// Reads the tensors under "diffloss.net".
DiffusionHead load_head(WeightSource& weights, const MarConfig& config);

/// One diffusion step as a HeadRunner sees it.
struct HeadStep {
  int64_t index = 0;     ///< respaced, T - 1 down to 0
  int64_t steps = 0;     ///< T
  int64_t halves = 1;    ///< 2 with guidance: conditional rows first, then unconditional ones
  at::Tensor guidance;   ///< scale of this decoding step, one value of x's type
  at::Tensor x;          ///< [R, C], the same for both halves
  at::Tensor times;      ///< embeddings of all diffusion steps, [T, W]
  at::Tensor condition;  ///< cond_embed(z), [halves * R, W]
};

/// What blocks in a row make.
struct BlocksRun {
  at::Tensor h;                        ///< [R, W], after the last
  std::vector<HeadMlpOutput> outputs;  ///< by block, if they are to be kept
  at::Tensor hs;  ///< [blocks, R, W]: every h of `outputs` in one tensor, if the device made one
};

/// Runs blocks on h [R, W], in one launch where the device can. modulation: ada(y) of each.
BlocksRun run_blocks(std::span<const HeadBlock> blocks, const at::Tensor& h,
                     std::span<const at::Tensor> modulation, bool keep_outputs);

/// Rows of adaptive layers' products that are computed at once: enough for a full-speed product,
/// few enough that the outputs of the largest head stay below 100 MB.
inline constexpr int64_t kModulationRows = 384;

/// What the network predicts for the conditional rows, [R, C] each.
struct HeadOutput {
  at::Tensor eps;  ///< after guidance
  at::Tensor v;    ///< log-variance interpolation
};

/// eps_u + g * (eps_c - eps_u), given eps_u and the difference.
at::Tensor guide(const at::Tensor& unconditional, const at::Tensor& difference,
                 const at::Tensor& guidance);

/// What follows a prediction, for runners that compute several steps at once.
struct HeadProcess {
  at::Tensor coefficients;  ///< [T, 8]: solver_table()
  at::Tensor noise;         ///< [T + 1, R, C]: by diffusion step, then the starting noise
  double temperature = 1.0;
};

/// The result of several steps.
struct HeadAdvance {
  at::Tensor x;  ///< [R, C]
  int64_t steps = 0;
};

/// Decides how one diffusion step is computed. Called with index T - 1, ..., 0 in turn.
class HeadRunner {
 public:
  virtual ~HeadRunner() = default;
  virtual HeadOutput predict(const DiffusionHead& head, const HeadStep& step) = 0;
  /// Bytes that it holds between diffusion steps, for the batch last sampled.
  virtual int64_t kept_bytes() const { return 0; }
  /// Several steps from this one on, if the runner computes them at once; otherwise the caller
  /// predicts this step and asks again at the next. Not for solvers that use earlier steps.
  virtual std::optional<HeadAdvance> advance(const DiffusionHead&, const HeadStep&,
                                             const HeadProcess&) {
    return std::nullopt;
  }
};

/// Computes everything.
class FullHeadRunner final : public HeadRunner {
 public:
  explicit FullHeadRunner(int64_t modulation_rows = kModulationRows)
      : modulation_(modulation_rows) {}

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override;

 private:
  Modulation modulation_;
};

/// A head together with the diffusion processes it samples by. On devices that capture, the loop
/// for a shape is captured at its first use and replayed afterwards: a few launches instead of
/// thousands.
class HeadSampler {
 public:
  /// Throws Error (usage) for an unknown solver.
  HeadSampler(const DiffusionHead& head, const std::vector<HeadSchedule>& schedules,
              const ExactOptimizations& optimizations = {});

  /// What is sampled.
  struct Request {
    at::Tensor z;          ///< [halves * R, D]
    at::Tensor noise;      ///< [T + 1, R, C]: by diffusion step, then the starting noise
    int64_t schedule = 0;  ///< index into those given above
    int64_t halves = 1;    ///< 2 with guidance
    double guidance = 1.0;
    double temperature = 1.0;
  };

  /// -> tokens [R, C]. The runner must outlive the sampler or forget_captures().
  at::Tensor sample(HeadRunner& runner, const Request& request);

  /// Whether the schedule's diffusion step adds noise.
  bool adds_noise(int64_t schedule, int64_t step) const {
    return at(schedule).solver[static_cast<size_t>(step)].noise != 0;
  }
  /// HeadSchedule::noise_keys, [T] int64 on the head's device.
  const at::Tensor& noise_keys(int64_t schedule) const { return at(schedule).noise_keys; }

  /// Releases the captures' memory.
  void forget_captures() { captured_.clear(); }

 private:
  /// A diffusion process, ready to run.
  struct Process {
    std::vector<int64_t> timesteps;
    std::vector<SolverStep> solver;
    bool single_step;
    at::Tensor times;         ///< [T, W]
    at::Tensor coefficients;  ///< [T, 8]; this and the next on the head's device
    at::Tensor noise_keys;    ///< [T]

    int64_t steps() const { return static_cast<int64_t>(timesteps.size()); }
  };
  /// What a loop reads.
  struct Inputs {
    at::Tensor z, noise;
    at::Tensor guidance;  ///< one value
    int64_t schedule = 0;
    int64_t halves = 1;
    double temperature = 1.0;
  };
  /// A captured loop, with the tensors that it reads and writes.
  struct CapturedLoop {
    Inputs inputs;
    at::Tensor tokens;
    RepeatedWork loop;
    int64_t runs = 0;
  };
  using Key = std::tuple<const HeadRunner*, int64_t, int64_t, int64_t, double>;

  const Process& at(int64_t schedule) const { return processes_[static_cast<size_t>(schedule)]; }
  at::Tensor loop(HeadRunner& runner, const Inputs& inputs) const;
  at::Tensor replayed(HeadRunner& runner, const Inputs& inputs, double guidance);
  /// The tokens of a replay, or of launching the loop if those differ.
  at::Tensor checked(HeadRunner& runner, const CapturedLoop& kept) const;

  const DiffusionHead& head_;
  ExactOptimizations optimizations_;
  std::vector<Process> processes_;
  /// By runner, schedule, rows of z, halves and temperature.
  std::map<Key, CapturedLoop> captured_;
};

}  // namespace lazymar
