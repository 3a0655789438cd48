#pragma once
/// Convolutions in bf16 on CPUs with AMX or AVX512_BF16. oneDNN's own kernels for AMX are not used,
/// because their bits depend on the number of threads; those for AVX512_BF16 take a quarter longer.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/packed_product.h"

namespace lazymar {

/// A convolution with stride 1, as one product whose rows are pixels' neighbourhoods. Images are
/// [B, H, W, C], so that the k pixels of a row of the kernel are contiguous in memory: a
/// neighbourhood is k pieces of the padded image, and nothing is copied but its border.
class PackedConvolution {
 public:
  /// weight [out, in, k, k] and bias [out] of any type. Requires fits(weight).
  PackedConvolution(const at::Tensor& weight, const at::Tensor& bias);

  /// Whether the weight is on a CPU with such products, and a row of its kernel fills whole tiles.
  static bool fits(const at::Tensor& weight);

  /// x [B, H, W, in] bf16 with k / 2 zeros on all sides, in one piece.
  at::Tensor with_border(const at::Tensor& x) const;
  /// Of what with_border() returns, or that of a convolution with the same k: -> [B, H + 2 (k / 2)
  /// - k + 1, ..., out] bf16. Sums are in fp32, and their order depends on neither threads nor
  /// sizes.
  at::Tensor operator()(const at::Tensor& padded) const;

 private:
  PackedWeight weight_;  ///< [out, k k in], by the kernel's row, column and the channel
  at::Tensor bias_;      ///< fp32
  int64_t kernel_;
};

}  // namespace lazymar
