/// The decoder of KL-16: one image of 256x256.

#include <ATen/ATen.h>

#include "measure.h"
#include "vae/kl_decoder.h"

namespace lazymar::bench {
namespace {

constexpr int64_t kPixels = 256;

void decode(benchmark::State& state, std::string_view precision) {
  RandomWeights weights(1, placement(precision));
  const KlDecoder decoder = load_kl_decoder(weights, kl16_config());
  const int64_t side = kPixels / decoder.config.stride();
  const at::Tensor latents =
      at::randn({1, decoder.config.embed_dim, side, side}) * decoder.config.latent_scale;
  measure(state, [&] { return decoder.decode(latents); });
}

}  // namespace
}  // namespace lazymar::bench

int main(int argc, char** argv) {
  using namespace lazymar;
  for (const char* precision : bench::kPrecisions) {
    bench::add(std::string("kl16/") + precision, benchmark::kMillisecond,
               [precision](benchmark::State& state) { bench::decode(state, precision); });
  }
  return bench::run(argc, argv);
}
