#pragma once
/// Layers with weights: plain structs over ATen tensors, const in use.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "lazymar/io/weights.h"

namespace lazymar {

/// y = x W^T + b, weight [out, in].
struct Linear {
  at::Tensor weight;
  at::Tensor bias;

  /// x [..., in] -> [..., out].
  at::Tensor operator()(const at::Tensor& x) const;

  /// The layer that computes only outputs [first, first + count): a view, nothing is copied.
  Linear outputs(int64_t first, int64_t count) const;
};

/// LayerNorm over the last dimension, with affine part.
struct LayerNorm {
  at::Tensor weight;
  at::Tensor bias;
  double eps = 1e-6;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// Reads `name`.weight [out, in] and `name`.bias [out].
Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// Reads `name`.weight [width] and `name`.bias [width].
LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps);

}  // namespace lazymar
