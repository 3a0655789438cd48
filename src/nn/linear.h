#pragma once
/// Layers with weights: plain structs over ATen tensors, const in use.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "weights/weights.h"

namespace lazymar {

/// What a product is passed through before it is written.
enum class Activation { kNone, kGelu, kTanhGelu, kSilu };

/// y = activation(x W^T + b).
class Linear {
 public:
  int64_t in = 0;
  int64_t out = 0;

  Linear() = default;
  /// Dense weight [out, in] and bias [out]; both may be undefined where they could not be loaded.
  Linear(at::Tensor weight, at::Tensor bias);

  /// x [..., in] of any floating type, converted where it is not type() -> [..., out] of type().
  at::Tensor operator()(const at::Tensor& x, Activation activation = Activation::kNone) const;

  /// The type that the product is computed from and written in; it accumulates in fp32 at least.
  c10::ScalarType type() const { return type_; }
  bool packed() const { return packed_; }

  /// The layer that computes only outputs [first, first + count): a view, nothing is copied.
  /// Not of a packed layer.
  Linear outputs(int64_t first, int64_t count) const;

  /// The layer for `type`, its weight reordered once for the backend: oneDNN's blocked layout for
  /// fp32 and bf16 on CPUs, which beats the dense product up to threefold on AMD. fp64 and other
  /// devices stay dense.
  Linear prepared(c10::ScalarType type) const;

  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor weight_;  ///< [out, in], or its packed form
  at::Tensor bias_;    ///< [out]
  c10::ScalarType type_ = c10::kFloat;
  bool packed_ = false;
};

/// LayerNorm over the last dimension, with affine part.
struct LayerNorm {
  at::Tensor weight;
  at::Tensor bias;
  double eps = 1e-6;

  /// x [..., width], fp32 or fp64 -> the same shape in `type`; by default x's own.
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor operator()(const at::Tensor& x, c10::ScalarType type) const;
};

/// Reads `name`.weight [out, in] and `name`.bias [out] as they are, in the placement's type.
Linear load_dense_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// The same, prepared for the type that the placement has for products.
Linear load_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// The same, prepared for the placement's own type: for products whose rounding would be magnified.
Linear load_exact_linear(WeightSource& weights, const std::string& name, int64_t in, int64_t out);

/// Reads `name`.weight [width] and `name`.bias [width].
LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps);

}  // namespace lazymar
