#pragma once
/// Layers with weights: plain structs over ATen tensors, const in use.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "nn/linear_kernel.h"
#include "weights/weights.h"

namespace lazymar {

/// y = activation(x W^T + b), whatever the weights' format.
class Linear {
 public:
  int64_t in = 0;
  int64_t out = 0;

  /// A layer that could not be loaded. Must not be called.
  Linear() = default;
  Linear(int64_t in_size, int64_t out_size, std::shared_ptr<const LinearKernel> kernel);
  /// Computes from these weights as they are; not loaded if they are incomplete.
  explicit Linear(const DenseWeights& weights);

  /// x [..., in] of any floating type, converted if it is not of input_type() -> [..., out] of
  /// output_type(). Sums are in fp32 at least.
  at::Tensor operator()(const at::Tensor& x, Activation activation = Activation::kNone) const;

  bool loaded() const { return kernel_ != nullptr; }
  // Of a loaded layer:
  c10::ScalarType input_type() const { return kernel_->input_type(); }
  c10::ScalarType output_type() const { return kernel_->output_type(); }

  /// The weights, for fused operations that read them; null if the format is not dense.
  const DenseWeights* dense() const { return loaded() ? kernel_->dense() : nullptr; }

  /// The layer that computes only outputs [first, first + count), sharing this one's memory;
  /// nothing if the format cannot be sliced.
  std::optional<Linear> slice(int64_t first, int64_t count) const;

 private:
  std::shared_ptr<const LinearKernel> kernel_;
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

/// Reads `name`.weight [out, in] and `name`.bias [out], in the activations' type.
DenseWeights load_dense_weights(WeightSource& weights, const std::string& name, int64_t in,
                                int64_t out);

/// The layer in the format that the placement's precision has for `role`; not loaded if the weights
/// are incomplete.
Linear make_linear(const DenseWeights& weights, LayerRole role, const Placement& placement);

/// Both of the above.
Linear load_linear(WeightSource& weights, LayerRole role, const std::string& name, int64_t in,
                   int64_t out);

/// Reads `name`.weight [width] and `name`.bias [width].
LayerNorm load_layer_norm(WeightSource& weights, const std::string& name, int64_t width,
                          double eps);

}  // namespace lazymar
