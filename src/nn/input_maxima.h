#pragma once
/// What the inputs of linear layers reach, to calibrate formats of few bits.

#include <ATen/core/Tensor.h>

#include "nn/linear.h"

namespace lazymar {

/// The same layer, which also raises maxima [in] to the largest magnitude of each input channel.
/// The layer must be loaded; `maxima` is fp32, on the layer's device. Not thread-safe.
Linear with_input_maxima(const Linear& layer, const at::Tensor& maxima);

}  // namespace lazymar
