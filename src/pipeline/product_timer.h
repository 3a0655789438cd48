#pragma once
/// How long a linear layer takes.

#include <ATen/core/Tensor.h>

#include "nn/linear.h"

namespace lazymar {

/// Seconds of one call of the layer on x, on x's device: the best of some rounds, because what
/// disturbs only makes slower. A round lasts about `round_seconds`, and one call at least.
double best_seconds(const Linear& layer, const at::Tensor& x, int rounds, double round_seconds);

}  // namespace lazymar
