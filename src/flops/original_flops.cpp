#include "flops/flop_formula.h"
#include "flops/flop_terms.h"

namespace lazymar {
namespace {

using namespace flop_terms;

int64_t plain_upsample(int64_t side, int64_t channels) {
  return convolution(4 * side * side, 3, channels, channels);
}

/// Encoder and decoder of a step, one half (models/mar.py; mar_cache.py and basic.py of LazyMAR).
FlopCount transformer(const MarConfig& config, const StepWork& work, int64_t known) {
  const BlockTerms block = decoder_block(config);
  const int64_t all = config.rows();
  FlopCount count;
  count.encoder = config.encoder_depth * encoder_block(config).block(work.encoder_rows, known);
  for (int64_t layer = 0; layer < config.decoder_depth; ++layer) {
    const bool prunes = layer == work.prune_layer;
    const int64_t rows = layer <= work.prune_layer ? all : work.kept_rows;
    count.decoder += block.qkv(rows) + block.attention(rows, all) + block.proj(rows) +
                     block.mlp(prunes ? work.kept_rows : rows);
  }
  return count;
}

FlopCount head(const MarConfig& config, const HeadWork& kinds, int64_t tokens, int64_t halves) {
  const int64_t width = config.head_width;
  const int64_t square = width * width;
  const int64_t full = kinds.full * halves * tokens;
  const int64_t recomputed = kinds.recomputed * tokens;
  const int64_t cached = recomputed + kinds.reused * tokens;
  FlopCount count;
  count.head_time = (full + cached) * (kSinusoids * width + square);
  count.head_condition = (full + cached) * config.decoder_dim * width;
  count.head_modulation =
      (full * config.head_depth * 3 + cached * kinds.active_blocks * 3 + (full + cached) * 2) *
      square;
  count.head_mlp = (full * config.head_depth + recomputed * kinds.active_blocks) * 2 * square;
  count.head_ends = (full + cached) * 3 * config.token_channels * width;
  return count;
}

}  // namespace

FlopCount original_flops(const Workload& work, int64_t images) {
  const MarConfig& config = work.mar;
  const CachePolicy& policy = policy_of(work.plan);
  const int64_t halves = work.plan.halves();
  FlopCount count;
  for (const DecodeStep& step : work.plan.steps) {
    const int64_t known = config.rows() - step.masked;
    const StepWork of_step = policy.work(config, work.plan, step);
    count += transformer(config, of_step, known) * of_step.halves;
    // Both halves of all tokens are embedded in every step.
    count.encoder += halves * config.sequence_length * config.token_channels * config.encoder_dim;
    count.decoder += halves * known * config.encoder_dim * config.decoder_dim;
    DecodeStep part = step;
    for (const HeadPart& of : head_parts(step)) {
      part.head_schedule = of.schedule;
      count += head(config, policy.head_work(config, work.plan, part), of.tokens, halves);
    }
  }
  count.vae = vae_decoder(work, plain_upsample);
  return count * (2 * images);
}

}  // namespace lazymar
