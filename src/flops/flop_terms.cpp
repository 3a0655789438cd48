#include "flops/flop_terms.h"

#include <cmath>

namespace lazymar::flop_terms {
namespace {

int64_t resnet_block(int64_t pixels, int64_t in, int64_t out) {
  return convolution(pixels, 3, in, out) + convolution(pixels, 3, out, out) +
         (in == out ? 0 : convolution(pixels, 1, in, out));
}

/// Latents per image side, of L tokens that are patches.
int64_t latent_side(const Workload& workload) {
  const int64_t latents =
      workload.mar.sequence_length * workload.mar.token_channels / workload.vae.embed_dim;
  return std::lround(std::sqrt(static_cast<double>(latents)));
}

}  // namespace

int64_t vae_decoder(const Workload& workload, int64_t (*upsample)(int64_t side, int64_t channels)) {
  const VaeConfig& vae = workload.vae;
  int64_t side = latent_side(workload);
  int64_t pixels = side * side;
  int64_t width = vae.middle_width;
  int64_t sum = convolution(pixels, 1, vae.embed_dim, vae.z_channels) +
                convolution(pixels, 3, vae.z_channels, width) +
                2 * resnet_block(pixels, width, width) + 4 * convolution(pixels, 1, width, width) +
                2 * pixels * pixels * width;
  for (size_t i = vae.level_widths.size(); i-- > 0;) {
    const int64_t out = vae.level_widths[i];
    for (int64_t block = 0; block < vae.blocks_per_level; ++block) {
      sum += resnet_block(pixels, width, out);
      width = out;
    }
    if (i > 0) {
      sum += upsample(side, width);
      side *= 2;
      pixels = side * side;
    }
  }
  return sum + convolution(pixels, 3, width, 3);
}

}  // namespace lazymar::flop_terms
