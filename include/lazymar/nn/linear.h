#pragma once
/// Layers with weights: plain structs over ATen tensors, const in use.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "lazymar/io/weights.h"

namespace lazymar {

/// y = x W^T + b.
struct Linear {
  at::Tensor weight;  ///< [out, in], or its packed form
  at::Tensor bias;    ///< [out]
  int64_t in = 0;
  int64_t out = 0;
  bool packed = false;

  Linear() = default;
  /// weight [out, in] and bias [out]; both may be undefined where they could not be loaded.
  Linear(at::Tensor weight, at::Tensor bias);

  /// x [..., in] -> [..., out].
  at::Tensor operator()(const at::Tensor& x) const;

  /// The layer that computes only outputs [first, first + count): a view, nothing is copied.
  /// Not of a packed layer.
  Linear outputs(int64_t first, int64_t count) const;

  /// Reorders the weight once for the backend: oneDNN's blocked layout for fp32 on CPUs, which
  /// beats the dense product two- to threefold on AMD. Other types and devices are left alone.
  void pack();
};

/// LayerNorm over the last dimension, with affine part.
struct LayerNorm {
  at::Tensor weight;
  at::Tensor bias;
  double eps = 1e-6;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// Reads `name`.weight [out, in] and `name`.bias [out], not packed.
Linear load_dense_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// The same, packed.
Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// Reads `name`.weight [width] and `name`.bias [width].
LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps);

}  // namespace lazymar
