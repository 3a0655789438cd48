#include "cache/retain_schedule.h"
#include "flops/flop_formula.h"
#include "flops/flop_terms.h"

namespace lazymar {
namespace {

using namespace flop_terms;

int64_t plain_upsample(int64_t side, int64_t channels) {
  return convolution(4 * side * side, 3, channels, channels);
}

/// Encoder and decoder of a full step, one half.
void add_full_step(const MarConfig& config, int64_t known, FlopCount& count) {
  const int64_t all = config.rows();
  count.encoder += config.encoder_depth * encoder_block(config).block(known, known);
  count.decoder += config.decoder_depth * decoder_block(config).block(all, all);
}

/// A lazy step with the token cache, one half (models/mar_cache.py, basic.py).
void add_lazy_step(const Workload& work, int64_t known, int64_t keep, int64_t fresh,
                   FlopCount& count) {
  const MarConfig& config = work.mar;
  const BlockTerms block = decoder_block(config);
  const int64_t all = config.rows();
  count.encoder +=
      config.encoder_depth * encoder_block(config).block(config.buffer_size + fresh, known);
  for (int64_t layer = 0; layer < config.decoder_depth; ++layer) {
    const bool before = layer < work.lazy->prune_layer;
    const bool prunes = layer == work.lazy->prune_layer;
    const int64_t rows = before || prunes ? all : keep;
    count.decoder += block.qkv(rows) + block.attention(rows, all) + block.proj(rows) +
                     block.mlp(prunes ? keep : rows);
  }
}

FlopCount head(const Workload& work, const DecodeStep& step, int64_t halves) {
  const MarConfig& config = work.mar;
  const HeadKinds kinds = head_kinds(work);
  const int64_t width = config.head_width;
  const int64_t square = width * width;
  const int64_t full = kinds.full * halves * step.predicted();
  const int64_t recomputed = kinds.recomputed * step.predicted();
  const int64_t cached = recomputed + kinds.reused * step.predicted();
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
  const int64_t halves = work.sampling.guided() ? 2 : 1;
  FlopCount count;
  std::optional<RetainSchedule> retain;
  if (work.lazy) {
    retain.emplace(*work.lazy, work.sampling.num_iter);
  }
  for (const DecodeStep& step : make_decoding_plan(config.sequence_length, work.sampling)) {
    const int64_t known = config.rows() - step.masked;
    FlopCount blocks;
    if (is_lazy(work, step.index) && work.lazy->token) {
      add_lazy_step(work, known, kept_rows(work, retain->ratio(step.index), step),
                    step.just_decoded(), blocks);
    } else {
      add_full_step(config, known, blocks);
    }
    const bool one_half = is_lazy(work, step.index) && work.lazy->condition;
    count += blocks * (one_half ? 1 : halves);
    // Both halves of all tokens are embedded in every step.
    count.encoder += halves * config.sequence_length * config.token_channels * config.encoder_dim;
    count.decoder += halves * known * config.encoder_dim * config.decoder_dim;
    count += head(work, step, halves);
  }
  count.vae = vae_decoder(work, plain_upsample);
  return count * (2 * images);
}

}  // namespace lazymar
