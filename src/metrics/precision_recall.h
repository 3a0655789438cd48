#pragma once
/// Precision and recall of generated images (Kynkäänniemi et al. 2019), as torch-fidelity 0.4.0
/// computes them (metric_prc.py). Its default, like the paper's, is VGG-16's features; with
/// feature_extractor = "inception-v3-compat" it uses Inception's, as ADM's and MAR's tables do.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lazymar {

struct PrecisionRecall {
  double precision = 0;  ///< share of generated images within a real image's ball
  double recall = 0;     ///< share of real images within a generated image's ball
  double f_score = 0;    ///< 2 p r / max(1e-5, p + r)
};

/// generated [N, D] and real [M, D], fp32. An image's ball reaches to its `neighborhood`-th nearest
/// neighbour in its own set. Distances are computed in blocks, so memory is a few hundred MB for
/// any N and M. Throws Error (usage) for sets of no more than `neighborhood` images.
PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real,
                                 int64_t neighborhood = 3);

}  // namespace lazymar
