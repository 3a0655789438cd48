/// The decoder of KL-16: one image of 256x256.

#include <ATen/ATen.h>

#include "measure.h"
#include "vae/kl_decoder.h"

namespace lazymar::bench {
namespace {

constexpr int64_t kPixels = 256;

void decode(benchmark::State& state, c10::ScalarType type) {
  RandomWeights weights(1, placement(type));
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
  for (const c10::ScalarType type : bench::kProductTypes) {
    bench::add("kl16/" + bench::name_of(type), benchmark::kMillisecond,
               [type](benchmark::State& state) { bench::decode(state, type); });
  }
  return bench::run(argc, argv);
}
