#pragma once
/// LazyMAR's cache of the diffusion head (models/diffloss_cached.py of github feihongyan1/LazyMAR),
/// an implementation of HeadRunner.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/exact_optimizations.h"
#include "diffusion/head.h"

namespace lazymar {

/// The T diffusion steps count down from T - 1. That step, and every multiple of `refresh`, compute
/// both halves and all blocks. They store what the others reuse: the blocks' mlp outputs, the
/// residuals of blocks 1 to 4, and the guidance difference. The others compute only conditional
/// rows: blocks 1 to 4 add their stored residual, the other blocks a fresh gate times the stored
/// mlp output. In the first tenth of the steps, the mlp outputs are recomputed instead.
class LazyMarHeadRunner final : public HeadRunner {
 public:
  explicit LazyMarHeadRunner(int64_t refresh, int64_t modulation_rows = kModulationRows,
                             const ExactOptimizations& optimizations = {})
      : refresh_(refresh),
        gate_only_(optimizations.gate_only),
        full_(modulation_rows),
        recomputed_(modulation_rows),
        reused_(modulation_rows) {}

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override;

  int64_t kept_bytes() const override;

  /// The steps up to the next full one, if all that blocks add is known in advance, in one launch
  /// (if the device has the kernel, or use_windows() was called).
  std::optional<HeadAdvance> advance(const DiffusionHead& head, const HeadStep& step,
                                     const HeadProcess& process) override;

  /// Uses windows wherever possible, in plain ATen if necessary: for tests.
  void use_windows() { windows_everywhere_ = true; }

 private:
  HeadOutput predict_full(const DiffusionHead& head, const HeadStep& step);
  HeadOutput predict_cached(const DiffusionHead& head, const HeadStep& step);
  /// Keeps what all blocks made of `input`, for the first `rows` rows.
  void keep(const BlocksRun& run, const at::Tensor& input, int64_t rows);

  bool full(int64_t index, int64_t steps) const;
  /// In the first tenth of the process blocks without a kept residual are recomputed.
  static int64_t last_recomputed(int64_t steps);
  /// The diffusion step after `index` that is not full, down to `last`; -1 without one.
  int64_t next_cached(int64_t index, int64_t steps, int64_t last) const;

  struct Kept {
    at::Tensor mlp;       ///< [R, W], of the products' type
    at::Tensor residual;  ///< output - input, [R, W]; blocks 1 to 4 only
  };

  int64_t refresh_;
  bool gate_only_;
  bool windows_everywhere_ = false;
  Modulation full_, recomputed_, reused_;  ///< by kind of diffusion step
  std::vector<Kept> blocks_;
  at::Tensor guidance_difference_;  ///< eps_c - eps_u, [R, C]
};

}  // namespace lazymar
