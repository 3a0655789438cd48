#pragma once
/// Versions of nn/ops.h in plain ATen: for devices without kernels, and for tests to compare
/// with. Shapes and types as there.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/ops.h"

namespace lazymar::plain {

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, c10::ScalarType type);
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          double eps, const at::Tensor& shift, const at::Tensor& scale);
at::Tensor add(const at::Tensor& x, const at::Tensor& y);
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y);
at::Tensor silu_of_sums(const at::Tensor& a, const at::Tensor& b, c10::ScalarType type);
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      int64_t groups, double eps, c10::ScalarType type);
at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, int64_t heads);
at::Tensor take_rows(const at::Tensor& x, const at::Tensor& rows);
void write_rows(at::Tensor& target, const at::Tensor& rows, const at::Tensor& source);

}  // namespace lazymar::plain
