/// The head's loop over all diffusion steps of one decoding step: mar_base, with guidance, in full
/// and with LazyMAR's cache.

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

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

/// Created at the first use of its precision, and kept.
const DiffusionHead& head(const std::string& precision) {
  static std::map<std::string, DiffusionHead> heads;
  const auto [head, made] = heads.try_emplace(precision);
  if (made) {
    RandomWeights weights(1, placement(precision));
    head->second = load_head(weights, config());
  }
  return head->second;
}

std::unique_ptr<HeadRunner> make_runner(bool lazy) {
  if (lazy) {
    return std::make_unique<LazyMarHeadRunner>(LazyOptions().head_refresh);
  }
  return std::make_unique<FullHeadRunner>();
}

void sample(benchmark::State& state, const char* precision, bool lazy, int64_t tokens) {
  const SamplingOptions options;
  HeadSampler sampler(head(precision), full_plan(config(), method_of(options)).head_schedules);
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
  for (const char* precision : bench::kPrecisions) {
    for (const bool lazy : {false, true}) {
      for (const int64_t tokens : bench::kTokens) {
        bench::add(concat("mar_base/", precision, lazy ? "/cache" : "/full", "/tokens:", tokens),
                   benchmark::kMillisecond,
                   [=](benchmark::State& state) { bench::sample(state, precision, lazy, tokens); });
      }
    }
  }
  return bench::run(argc, argv);
}
