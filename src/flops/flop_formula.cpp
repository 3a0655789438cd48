#include "flops/flop_formula.h"

#include "flops/flop_terms.h"

namespace lazymar {

using namespace flop_terms;

FlopCount& FlopCount::operator+=(const FlopCount& other) {
  encoder += other.encoder;
  decoder += other.decoder;
  head_time += other.head_time;
  head_condition += other.head_condition;
  head_modulation += other.head_modulation;
  head_mlp += other.head_mlp;
  head_ends += other.head_ends;
  vae += other.vae;
  return *this;
}

FlopCount FlopCount::operator*(int64_t factor) const {
  FlopCount scaled = *this;
  for (int64_t* part :
       {&scaled.encoder, &scaled.decoder, &scaled.head_time, &scaled.head_condition,
        &scaled.head_modulation, &scaled.head_mlp, &scaled.head_ends, &scaled.vae}) {
    *part *= factor;
  }
  return scaled;
}

namespace {

/// Nearest-neighbour doubling and 3x3 as four 2x2 convolutions of the image before the doubling,
/// one per pixel of a 2x2 patch. Each runs with one pixel of padding: (side + 1)^2 positions.
int64_t phase_upsample(int64_t side, int64_t channels) {
  return 4 * convolution((side + 1) * (side + 1), 2, channels, channels);
}

}  // namespace

FlopFormula::FlopFormula(const Workload& workload)
    : work_(workload), policy_(policy_of(workload.plan)), halves_(workload.plan.halves()) {}

StepWork FlopFormula::work(const DecodeStep& step) const {
  return policy_.work(work_.mar, work_.plan, step);
}

bool FlopFormula::has_class_table() const {
  return steps().size() == 1 || !steps()[1].partial();
}

int64_t FlopFormula::encoder(const DecodeStep& step, const StepWork& work) const {
  const MarConfig& config = work_.mar;
  const BlockTerms block = encoder_block(config);
  const int64_t known = config.rows() - step.masked;
  const int64_t fresh = step.just_decoded();
  const int64_t rows = work.encoder_rows;
  // Before attention, a token's values do not depend on the half.
  const int64_t shared = fresh * config.token_channels * config.encoder_dim + block.qkv(fresh);
  return shared + work.halves * (block.attend(rows, known) +
                                 (config.encoder_depth - 1) * block.block(rows, known));
}

/// `queries` rows are output. Every layer's keys and values exist for all rows.
int64_t FlopFormula::decoder_blocks(const StepWork& work, int64_t queries) const {
  const BlockTerms block = decoder_block(work_.mar);
  const int64_t all = work_.mar.rows();
  int64_t sum = 0;
  int64_t rows = all;
  for (int64_t layer = 0; layer < work_.mar.decoder_depth; ++layer) {
    const bool prune = work.kept_rows < all && layer == work.prune_layer;
    const bool last = layer + 1 == work_.mar.decoder_depth;
    const int64_t out = prune ? work.kept_rows : last ? queries : rows;
    sum += layer == 0 ? block.qkv(work.encoder_rows) : block.key_value(rows) + block.query(out);
    sum += block.attend(out, all);
    rows = out;
  }
  return sum;
}

int64_t FlopFormula::decoder(const DecodeStep& step, const StepWork& work) const {
  const MarConfig& config = work_.mar;
  const int64_t queries = step.masked - work.first_needed;
  return work.halves * (work.encoder_rows * config.encoder_dim * config.decoder_dim +
                        decoder_blocks(work, queries));
}

FlopCount FlopFormula::head(const DecodeStep& step) const {
  FlopCount count;
  DecodeStep part = step;
  for (const HeadPart& of : head_parts(step)) {
    part.head_schedule = of.schedule;
    count += head_part(part, of.tokens);
  }
  return count;
}

FlopCount FlopFormula::head_part(const DecodeStep& step, int64_t one_half) const {
  const MarConfig& config = work_.mar;
  const HeadWork kinds = policy_.head_work(config, work_.plan, step);
  const int64_t width = config.head_width;
  const int64_t square = width * width;
  const int64_t both = halves_ * one_half;
  // Rows summed over the diffusion steps, by kind.
  const int64_t full = kinds.full * both;
  const int64_t recomputed = kinds.recomputed * one_half;
  const int64_t reused = kinds.reused * one_half;
  FlopCount count;
  count.head_condition = both * config.decoder_dim * width;
  count.head_modulation = (full * config.head_depth * 3 + recomputed * kinds.active_blocks * 3 +
                           reused * kinds.active_blocks + (full + recomputed + reused) * 2) *
                          square;
  count.head_mlp = (full * config.head_depth + recomputed * kinds.active_blocks) * 2 * square;
  count.head_ends =
      (kinds.full + kinds.recomputed + kinds.reused) * one_half * config.token_channels * width +
      (full + recomputed + reused) * width * 2 * config.token_channels;
  return count;
}

FlopCount FlopFormula::step(const DecodeStep& step, int64_t images) const {
  FlopCount count = head(step);
  if (step.index > 0 || !has_class_table()) {
    const StepWork of_step = work(step);
    count.encoder = encoder(step, of_step);
    count.decoder = decoder(step, of_step);
  }
  return count * (2 * images);
}

FlopCount FlopFormula::batch(int64_t images) const {
  FlopCount once;
  once.vae = vae_decoder(work_, phase_upsample);
  once.encoder = halves_ * encoder_block(work_.mar).qkv(work_.mar.buffer_size);
  FlopCount count = once * (2 * images);
  for (const DecodeStep& decode : steps()) {
    count += step(decode, images);
  }
  return count;
}

FlopCount FlopFormula::constants() const {
  const int64_t width = work_.mar.head_width;
  FlopCount count;
  for (const HeadSchedule& schedule : work_.plan.head_schedules) {
    count.head_time += schedule.steps() * (kSinusoids * width + width * width);
  }
  count.decoder = decoder_block(work_.mar).qkv(work_.mar.sequence_length);
  return count * 2;
}

FlopCount FlopFormula::class_table(int64_t classes) const {
  if (!has_class_table()) {
    return {};
  }
  const MarConfig& config = work_.mar;
  const int64_t buffer = config.buffer_size;
  FlopCount count;
  count.encoder = config.encoder_depth * encoder_block(config).block(buffer, buffer);
  count.decoder =
      buffer * config.encoder_dim * config.decoder_dim +
      decoder_blocks({.encoder_rows = buffer, .kept_rows = config.rows()}, config.sequence_length);
  return count * (2 * (classes + halves_ - 1));
}

}  // namespace lazymar
