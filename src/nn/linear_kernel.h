#pragma once
/// The interface behind Linear: how a product is computed, and from what. A number type implements
/// it in a separate file (linear_dense.cpp, linear_onednn.cpp).

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/activation.h"

namespace lazymar {

/// The activation of y, as a separate operation.
at::Tensor activated(const at::Tensor& y, Activation activation);

/// The shape of a layer's result for an input x.
std::vector<int64_t> output_sizes(const at::Tensor& x, int64_t out);

/// A layer's weights as a file has them; both undefined if they could not be loaded.
struct DenseWeights {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]

  bool complete() const { return weight.defined() && bias.defined(); }
  /// Those of outputs [first, first + count): a view, nothing is copied.
  DenseWeights outputs(int64_t first, int64_t count) const;
};

/// y = activation(x W^T + b). Const and shared by threads.
class LinearKernel {
 public:
  virtual ~LinearKernel() = default;

  /// x [..., in] of input_type(), no rows included -> [..., out] of output_type().
  virtual at::Tensor operator()(const at::Tensor& x, Activation activation) const = 0;

  /// A type that nn/ops.h takes for products: activations' own, bf16 or fp16.
  virtual c10::ScalarType input_type() const = 0;
  virtual c10::ScalarType output_type() const = 0;

  /// The weights, for fused operations that read them; null if the layout is the kernel's own.
  virtual const DenseWeights* dense() const { return nullptr; }

  /// The layer that computes only outputs [first, first + count), sharing this one's memory; null
  /// if the layout cannot be sliced.
  virtual std::shared_ptr<const LinearKernel> slice(int64_t first, int64_t count) const;
};

}  // namespace lazymar
