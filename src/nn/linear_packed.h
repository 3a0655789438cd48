#pragma once
/// bf16 on CPUs with AMX or AVX512_BF16: the weight packed once, with bias and activation fused.
/// Used in place of oneDNN, whose kernels for AMX split sums among threads and by the number of
/// rows.

#include <c10/core/Device.h>

#include <memory>

#include "nn/linear_kernel.h"

namespace lazymar {

bool has_packed_products(c10::Device device);

/// Weights in bf16; the bias is kept in fp32.
std::shared_ptr<const LinearKernel> packed_kernel(const DenseWeights& weights);

}  // namespace lazymar
