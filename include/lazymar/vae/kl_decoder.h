#pragma once
/// The decoder of a KL-VAE (Rombach et al. 2022, latent-diffusion; models/vae.py of MAR).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/io/weights.h"

namespace lazymar {

/// Convolution with the padding that keeps the image's size.
struct Convolution {
  at::Tensor weight;  ///< [out, in, k, k]
  at::Tensor bias;    ///< [out]
  at::Tensor operator()(const at::Tensor& x) const;
};

struct GroupNorm {
  at::Tensor weight, bias;
  int64_t groups = 32;
  double eps = 1e-6;
  at::Tensor operator()(const at::Tensor& x) const;
};

/// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), x through nin_shortcut where widths differ.
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
    std::optional<Convolution> upsample;
  };

  VaeConfig config;
  Convolution post_quant_conv, conv_in, conv_out;
  ResnetBlock middle_1, middle_2;
  AttentionBlock middle_attention;
  std::vector<Level> levels;  ///< in the order they run, "up.<n-1>" first
  GroupNorm norm_out;

  /// latents [B, E, h, w] as MAR makes them (multiplied by latent_scale) -> images [B, 3, H, W],
  /// about -1 to 1. Works through the batch in chunks whose activations fit.
  at::Tensor decode(const at::Tensor& latents) const;

 private:
  at::Tensor decode_chunk(const at::Tensor& latents) const;
};

/// Reads post_quant_conv.* and decoder.*.
KlDecoder load_kl_decoder(WeightSource& weights, const VaeConfig& config);

/// images [B, 3, H, W] -> [B, H, W, 3] uint8 on the CPU: round(clip((x + 1) / 2 * 255, 0, 255)),
/// half to even, as the original evaluation writes them.
at::Tensor to_pixels(const at::Tensor& images);

}  // namespace lazymar
