#pragma once
/// LazyMAR's cache of the diffusion head (models/diffloss_cached.py of github
/// feihongyan1/LazyMAR), behind the HeadRunner seam.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/diffusion/head.h"

namespace lazymar {

/// Diffusion steps T - 1 and every multiple of `refresh` compute both halves and all blocks, and
/// keep what the others reuse: the blocks' mlp outputs, the residuals of blocks 1 to 4, and the
/// guidance difference. The others compute conditional rows: blocks 1 to 4 add their residual, the
/// rest a fresh gate times the kept mlp output (recomputed in the first tenth of the process).
class HeadCache final : public HeadRunner {
 public:
  explicit HeadCache(int64_t refresh) : refresh_(refresh) {}

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override;

 private:
  HeadOutput predict_full(const DiffusionHead& head, const HeadStep& step);
  HeadOutput predict_cached(const DiffusionHead& head, const HeadStep& step);

  struct Kept {
    at::Tensor mlp;       ///< [R, W]
    at::Tensor residual;  ///< output - input, [R, W]; blocks 1 to 4 only
  };

  int64_t refresh_;
  std::vector<Kept> blocks_;
  at::Tensor guidance_difference_;  ///< eps_c - eps_u, [R, C]
};

}  // namespace lazymar
