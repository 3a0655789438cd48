#pragma once
/// Kernel versions of nn/ops.h, for the table in device_ops.cpp.

#include <ATen/core/Tensor.h>

#include "nn/ops.h"

namespace lazymar::cuda {

at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps,
                const at::Tensor& shift, const at::Tensor& scale, c10::ScalarType type);
SumAndNorm add_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, c10::ScalarType type);
void add(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y, at::Tensor& out);
at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type);
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type, bool silu);

}  // namespace lazymar::cuda
