#include "cache/lazymar_policy.h"

#include <algorithm>

#include "cache/lazymar.h"
#include "cache/lazymar_head.h"
#include "cache/retain_schedule.h"
#include "core/error.h"
#include "method/token_schedules.h"

namespace lazymar {
namespace {

LazyOptions options_of(const DecodingPlan& plan) {
  return lazymar_options(plan.method.cache.options);
}

/// A layer number equal to the depth means that no layer prunes. The default is accepted for
/// shallower decoders, with the same effect.
void check_prune_layer(const LazyOptions& lazy, int64_t depth) {
  if (lazy.token && lazy.prune_layer > depth && lazy.prune_layer != LazyOptions().prune_layer) {
    throw setting_error("lazy_prune_layer", " ", lazy.prune_layer, ": the decoder has ", depth,
                        " layers: use 0 to ", depth - 1, ", or ", depth, " to prune nowhere");
  }
}

void check(const MarConfig& config, const CacheSpec& cache) {
  const LazyOptions lazy = lazymar_options(cache.options);
  check_prune_layer(lazy, config.decoder_depth);
}

/// Whether the tokens known since the step before cross the next refresh, if those behind the
/// warm-up come every `refresh` steps of MAR's 64.
bool refreshes_by_progress(const DecodingPlan& plan, const DecodeStep& step,
                           const LazyOptions& lazy) {
  const int64_t length = plan.steps.front().masked;
  const auto round = [&](int64_t masked) {
    const int64_t passed = reference_step(length, masked) - lazy.warmup;
    return passed < 0 ? -1 : passed / lazy.refresh;
  };
  return step.index < lazy.warmup || round(step.masked) != round(step.masked_before);
}

bool partial(const DecodingPlan& plan, const DecodeStep& step) {
  const LazyOptions lazy = options_of(plan);
  const bool cached = lazy.token || (lazy.condition && plan.guided());
  if (!cached || (lazy.at_stages && step.opens_stage)) {
    return false;
  }
  return lazy.by_progress ? !refreshes_by_progress(plan, step, lazy) : lazy.lazy_step(step.index);
}

std::unique_ptr<Runner> make_runner(const MarConfig& config, const DecodingPlan& plan) {
  return std::make_unique<LazyMarRunner>(config, plan);
}

std::unique_ptr<HeadRunner> make_head_runner(const DecodingPlan& plan) {
  const LazyOptions lazy = options_of(plan);
  if (!lazy.head) {
    return make_full_head_runner(plan);
  }
  return std::make_unique<LazyMarHeadRunner>(lazy.head_refresh);
}

/// A full step computes every row that a later step needs. A lazy step computes the conditional
/// half, or only rows that changed. In the encoder, these are the buffer and the tokens just
/// decoded; after the pruning layer, min(N, max(n + n' + extra, int(N * ratio))) rows.
StepWork work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  const LazyOptions lazy = options_of(plan);
  const bool one_half = lazy.condition && plan.guided();
  StepWork work = full_work(config, plan, step);
  if (!step.partial()) {
    // The lazy steps that follow use the difference between this step's halves.
    for (size_t next = static_cast<size_t>(step.index) + 1;
         one_half && next < plan.steps.size() && plan.steps[next].partial(); ++next) {
      work.first_needed = plan.steps[next].first;
    }
    return work;
  }
  work.halves = one_half ? 1 : plan.halves();
  if (lazy.token) {
    const int64_t rows = config.rows();
    work.share = RetainSchedule(lazy, plan.steps).ratio(step.index);
    const auto share = static_cast<int64_t>(static_cast<double>(rows) * work.share);
    work.encoder_rows = config.buffer_size + step.just_decoded();
    work.kept_rows =
        std::min(rows, std::max(step.predicted() + step.just_decoded() + lazy.extra, share));
    work.prune_layer = lazy.prune_layer;
  }
  return work;
}

HeadWork head_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  const LazyOptions lazy = options_of(plan);
  if (!lazy.head) {
    return full_head_work(config, plan, step);
  }
  const int64_t steps = plan.head(step).steps();
  HeadWork work;
  for (int64_t i = 0; i < steps; ++i) {
    if (i == steps - 1 || i % lazy.head_refresh == 0) {
      ++work.full;
    } else if (static_cast<double>(i) > 0.9 * static_cast<double>(steps)) {
      ++work.recomputed;
    } else {
      ++work.reused;
    }
  }
  const int64_t blocks = config.head_depth;
  work.active_blocks = blocks - std::clamp<int64_t>(blocks - 1, 0, 4);  // all but 1, 2, 3, 4
  return work;
}

/// Token cache: keys and values of the encoder's layers but the first one, which the inputs have,
/// and of the decoder's from the pruning layer on, if rows are ever pruned. Condition cache: the
/// difference of all tokens. Head cache: what the blocks add to the conditional rows, and the
/// difference between the halves.
KeptNumbers kept(const MarConfig& config, const DecodingPlan& plan) {
  const LazyOptions lazy = options_of(plan);
  bool reuses = false;
  bool prunes = false;
  for (const DecodeStep& step : plan.steps) {
    reuses |= step.partial();
    prunes |= step.partial() && work(config, plan, step).kept_rows < config.rows();
  }
  const int64_t halves = lazy.condition ? 1 : plan.halves();
  KeptNumbers kept;
  if (lazy.token && reuses) {
    kept.products += kept_keys_values(config, halves, config.encoder_depth - 1, config.encoder_dim);
  }
  if (lazy.token && prunes) {
    const int64_t layers = std::max<int64_t>(0, config.decoder_depth - lazy.prune_layer);
    kept.products += kept_keys_values(config, halves, layers, config.decoder_dim);
  }
  if (lazy.condition && plan.guided()) {
    kept.activations += config.sequence_length * config.decoder_dim;
  }
  if (lazy.head) {
    const int64_t tokens = last_head_part(plan).tokens;
    const int64_t residuals = std::clamp<int64_t>(config.head_depth - 1, 0, 4);  // blocks 1 to 4
    kept.products += tokens * (config.head_depth - residuals) * config.head_width;
    kept.activations +=
        tokens * (residuals * config.head_width + (plan.guided() ? config.token_channels : 0));
  }
  return kept;
}

}  // namespace

CachePolicy lazymar_policy() {
  return {.name = "lazymar",
          .check = check,
          .partial = partial,
          .make_runner = make_runner,
          .make_head_runner = make_head_runner,
          .work = work,
          .head_work = head_work,
          .kept = kept};
}

}  // namespace lazymar
