#pragma once
/// The decoder of a KL-VAE (Rombach et al. 2022, latent-diffusion; models/vae.py of MAR).

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/network_config.h"
#include "nn/packed_convolution.h"
#include "weights/weights.h"

namespace lazymar {

// Images are [B, H, W, C] here: a pixel's channels are contiguous, which convolutions prefer.

/// Convolution with padding that keeps the image size (one more for even kernels).
class Convolution {
 public:
  Convolution() = default;
  /// weight [out, in, k, k] and bias [out], for images of `type`; both may be undefined if they
  /// could not be loaded.
  Convolution(const at::Tensor& weight, const at::Tensor& bias, c10::ScalarType type);

  /// x [B, H, W, in] of any floating type -> [B, H, W, out] of type().
  at::Tensor operator()(const at::Tensor& x) const { return of_prepared(prepared(x)); }
  /// x in type(), and padded unless the library does that: the first half of the above, for several
  /// convolutions of one image whose weights have the same shape.
  at::Tensor prepared(const at::Tensor& x) const;
  at::Tensor of_prepared(const at::Tensor& x) const;
  c10::ScalarType type() const { return type_; }

 private:
  at::Tensor by_library(const at::Tensor& x) const;

  at::Tensor weight_, bias_;
  std::shared_ptr<const PackedConvolution> packed_;  ///< in place of the above, where it fits
  c10::ScalarType type_ = c10::kFloat;
  int64_t taps_ = 0;  ///< products per number of the result
};

/// Nearest-neighbour x2 and a 3x3 convolution, as one 2x2 convolution of the small image for each
/// of the four positions of a large pixel within a small one. At each position, the 3x3 taps cover
/// only 2x2 different pixels, so taps on the same pixel are added in advance.
class UpsampleConvolution {
 public:
  UpsampleConvolution() = default;
  /// weight [out, in, 3, 3] and bias [out], as above.
  UpsampleConvolution(const at::Tensor& weight, const at::Tensor& bias, c10::ScalarType type);

  /// x [B, H, W, in] -> [B, 2H, 2W, out] of x's type.
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::array<Convolution, 4> phases_;  ///< by row, then column within the small pixel
};

struct GroupNorm {
  at::Tensor weight, bias;
  int64_t groups = 32;
  double eps = 1e-6;
};

/// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), x through nin_shortcut if widths differ.
struct ResnetBlock {
  GroupNorm norm1, norm2;
  Convolution conv1, conv2;
  std::optional<Convolution> nin_shortcut;
  at::Tensor operator()(const at::Tensor& x) const;
};

/// Single-head attention over the pixels; scale channels^-0.5.
struct AttentionBlock {
  GroupNorm norm;
  Convolution q, k, v, proj_out;
  at::Tensor operator()(const at::Tensor& x) const;
};

/// post_quant_conv, middle, then levels from coarse to fine; every level but the last ends in a
/// nearest-neighbour x2 and a 3x3 convolution.
struct KlDecoder {
  struct Level {
    std::vector<ResnetBlock> blocks;
    std::optional<UpsampleConvolution> upsample;
  };

  VaeConfig config;
  Convolution post_quant_conv, conv_in, conv_out;
  ResnetBlock middle_1, middle_2;
  AttentionBlock middle_attention;
  std::vector<Level> levels;  ///< in the order they run, "up.<n-1>" first
  GroupNorm norm_out;

  /// latents [B, E, h, w] as MAR makes them (multiplied by latent_scale) -> images [B, 3, H, W],
  /// about -1 to 1. Processes the batch in chunks whose activations fit.
  at::Tensor decode(const at::Tensor& latents) const;

 private:
  at::Tensor decode_chunk(const at::Tensor& latents) const;
};

/// Reads post_quant_conv.* and decoder.*.
KlDecoder load_kl_decoder(WeightSource& weights, const VaeConfig& config);

}  // namespace lazymar
