#pragma once
/// int8 on CPUs: weights in 8 bits with a factor for each output, rows of activations in 8 bits
/// with a factor each, found when they arrive. So no row's outliers cost another row its precision,
/// which is what breaks MAR under one factor for a tensor: its buffer rows are 30 times larger.

#include <c10/core/Device.h>

#include <memory>

#include "nn/linear_kernel.h"

namespace lazymar {

/// True on every CPU: without VNNI by plain loops, which --precision refuses and tests use.
bool computes_int8(c10::Device device);

/// Rounds complete weights as weights/int8_weight.h says.
std::shared_ptr<const LinearKernel> int8_kernel(const DenseWeights& weights);

}  // namespace lazymar
