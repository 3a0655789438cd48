#include "pipeline/runners.h"

#include <utility>

#include "cache/head_cache.h"
#include "cache/lazy_cache.h"
#include "core/error.h"

namespace lazymar {
namespace {

void check_at_least(const char* flag, int64_t value, int64_t least) {
  if (value < least) {
    throw usage_error("--", flag, " ", value, ": must be at least ", least);
  }
}

/// The layer of that number would be the first behind the last one: then none prunes. A default is
/// let pass, which on a shallower decoder comes to the same.
void check_prune_layer(const LazyOptions& lazy, int64_t depth) {
  if (lazy.token && lazy.prune_layer > depth && lazy.prune_layer != LazyOptions().prune_layer) {
    throw usage_error("--lazy_prune_layer ", lazy.prune_layer, ": the decoder has ", depth,
                      " layers: use 0 to ", depth - 1, ", or ", depth, ", where none prunes");
  }
}

}  // namespace

Runners make_runners(const std::optional<LazyOptions>& lazy, const MarConfig& config,
                     const SamplingOptions& sampling) {
  if (!lazy) {
    return {std::make_unique<FullRunner>(), std::make_unique<FullHeadRunner>(),
            std::vector<bool>(static_cast<size_t>(sampling.num_iter))};
  }
  check_at_least("lazy_warmup", lazy->warmup, 0);
  check_at_least("lazy_refresh", lazy->refresh, 1);
  check_at_least("lazy_prune_layer", lazy->prune_layer, 0);
  check_prune_layer(*lazy, config.decoder_depth);
  check_at_least("lazy_extra", lazy->extra, 0);
  check_at_least("lazy_head_refresh", lazy->head_refresh, 1);
  Runners runners{nullptr, nullptr, std::vector<bool>(static_cast<size_t>(sampling.num_iter))};
  auto cache = std::make_unique<LazyCache>(*lazy, config, sampling);
  for (int64_t step = 0; step < sampling.num_iter; ++step) {
    runners.lazy_steps[static_cast<size_t>(step)] = cache->lazy(step);
  }
  runners.blocks = std::move(cache);
  if (lazy->head) {
    runners.head = std::make_unique<HeadCache>(lazy->head_refresh);
  } else {
    runners.head = std::make_unique<FullHeadRunner>();
  }
  return runners;
}

}  // namespace lazymar
