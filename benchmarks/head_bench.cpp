/// The head's loop over all diffusion steps of one decoding step: mar_base, with guidance, in full
/// and with LazyMAR's cache.

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "cache/lazymar_head.h"
#include "core/error.h"
#include "diffusion/head.h"
#include "measure.h"
#include "method/decoding_plan.h"

namespace lazymar::bench {
namespace {

/// Tokens that a decoding step predicts: about four per image with 64 steps.
constexpr int64_t kTokens[] = {1, 4, 16, 32};
constexpr int64_t kHalves = 2;

const MarConfig& config() {
  static const MarConfig config = published_config(*find_preset("mar_base"));
  return config;
}

/// Made at the first use of its type, and kept.
template <c10::ScalarType Type>
const DiffusionHead& head() {
  static const DiffusionHead head = [] {
    RandomWeights weights(1, placement(Type));
    return load_head(weights, config());
  }();
  return head;
}

std::unique_ptr<HeadRunner> make_runner(bool lazy) {
  if (lazy) {
    return std::make_unique<LazyMarHeadRunner>(LazyOptions().head_refresh);
  }
  return std::make_unique<FullHeadRunner>();
}

void sample(benchmark::State& state, c10::ScalarType type, bool lazy, int64_t tokens) {
  const SamplingOptions options;
  const DiffusionHead& weights =
      type == c10::kBFloat16 ? head<c10::kBFloat16>() : head<c10::kFloat>();
  HeadSampler sampler(weights, full_plan(config(), method_of(options)).head_schedules);
  const auto runner = make_runner(lazy);
  const at::Tensor z = at::randn({kHalves * tokens, config().decoder_dim});
  const at::Tensor noise =
      at::randn({options.num_sampling_steps + 1, tokens, config().token_channels});
  measure(state, [&] {
    return sampler.sample(*runner, {z, noise, 0, kHalves, options.cfg, options.temperature});
  });
}

}  // namespace
}  // namespace lazymar::bench

int main(int argc, char** argv) {
  using namespace lazymar;
  for (const c10::ScalarType type : bench::kProductTypes) {
    for (const bool lazy : {false, true}) {
      for (const int64_t tokens : bench::kTokens) {
        bench::add(concat("mar_base/", bench::name_of(type), lazy ? "/cache" : "/full",
                          "/tokens:", tokens),
                   benchmark::kMillisecond,
                   [=](benchmark::State& state) { bench::sample(state, type, lazy, tokens); });
      }
    }
  }
  return bench::run(argc, argv);
}
