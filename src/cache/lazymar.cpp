#include "cache/lazymar.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "cache/row_ops.h"
#include "cache/row_selection.h"
#include "nn/capture.h"
#include "nn/ops.h"

namespace lazymar {

LazyMarRunner::LazyMarRunner(const MarConfig& config, const DecodingPlan& plan,
                             const ExactOptimizations& optimizations)
    : options_(lazymar_options(plan.method.cache.options)),
      optimizations_(optimizations),
      retain_(options_, plan.steps),
      length_(config.sequence_length),
      buffer_(config.buffer_size),
      steps_(plan.steps),
      halves_(plan.halves()),
      cached_halves_(options_.condition ? 1 : halves_),
      encoder_(static_cast<size_t>(config.encoder_depth)),
      decoder_(static_cast<size_t>(config.decoder_depth)) {}

bool LazyMarRunner::keeps(const DecodeStep& step) const {
  // Every lazy step updates the caches; a full step does so only if a lazy step follows it.
  const auto next = static_cast<size_t>(step.index) + 1;
  return step.partial() || (next < steps_.size() && steps_[next].partial());
}

bool LazyMarRunner::keeps_difference(const DecodeStep& step) const {
  return options_.condition && halves_ == 2 && !step.partial() && keeps(step);
}

int64_t LazyMarRunner::computed_halves(const DecodeStep& step) const {
  return step.partial() && options_.condition ? 1 : halves_;
}

void LazyMarRunner::begin(const MarBatch& batch) {
  images_ = batch.images;
  if (options_.token) {
    overwrite(raster_rows_,
              rows_in_raster_order(batch.orders, buffer_).repeat({cached_halves_, 1}));
  }
  if (options_.condition && halves_ == 2) {
    const at::Tensor& like = batch.decoder.x;
    make_room(difference_, {images_, length_, like.size(2)}, like.options());
  }
}

int64_t LazyMarRunner::kept_bytes() const {
  return lazymar::kept_bytes(encoder_) + lazymar::kept_bytes(decoder_) +
         (difference_.defined() ? static_cast<int64_t>(difference_.nbytes()) : 0);
}

EncoderRows LazyMarRunner::encoder_rows(const DecodeStep& step) {
  const int64_t last = reuses_tokens(step) ? step.masked_before : length_;
  return {step.masked, last, computed_halves(step)};
}

at::Tensor LazyMarRunner::encode(std::span<const Block> blocks, const RowInputs& inputs,
                                 const DecodeStep& step) {
  const int64_t rows = length_ + buffer_;
  const int64_t known = rows - step.masked;
  const int64_t fresh = step.just_decoded();
  const bool reuse = reuses_tokens(step);
  const bool store = options_.token && !reuse && keeps(step);
  const RowInputs computed = inputs.leading(computed_halves(step) * images_);
  const auto asking = [&](const at::Tensor& t) {
    return reuse ? at::cat({t.narrow(1, step.masked, fresh), t.narrow(1, length_, buffer_)}, 1)
                 : t.narrow(1, step.masked, known);
  };
  // The inputs keep every known row's keys and values: the first layer needs no cache.
  const RowInputs inputs_asking{asking(computed.x), asking(computed.q),
                                computed.kv.narrow(1, step.masked, known)};
  const auto all = [](const at::Tensor& t) { return t; };
  at::Tensor h = inputs_asking.x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const BlockRows of(blocks, i, h, inputs_asking, /*all_ask=*/true);
    at::Tensor kv = of.keys_values();
    if (i > 0 && reuse) {
      KvCache& cache = encoder_[i];
      cache.write(kv, 0, step.masked, fresh);
      cache.write(kv, fresh, length_, buffer_);
      kv = cache.rows.narrow(1, step.masked, known);
    } else if (i > 0 && store) {
      encoder_[i].store(kv, cached_halves_ * images_, rows, step.masked);
    }
    h = blocks[i].rest(h, of.queries(all), kv);
  }
  return h;
}

at::Tensor LazyMarRunner::decode(std::span<const Block> blocks, const RowInputs& inputs,
                                 const DecodeStep& step) {
  const RowInputs computed = inputs.leading(computed_halves(step) * images_);
  at::Tensor rows;
  const at::Tensor h = decode_rows(blocks, computed, step, rows);
  if (rows.defined()) {
    return add_unconditional(predicted_rows(h, rows, step), step);
  }
  const int64_t first = needed_rows(step).first;
  if (keeps_difference(step)) {
    // Later steps need only rows that are still masked.
    const int64_t count = step.first - first;
    const at::Tensor later = h.narrow(1, 0, count);
    at::Tensor difference = difference_.narrow(1, first, count);
    at::sub_out(difference, later.narrow(0, images_, images_), later.narrow(0, 0, images_));
  }
  return add_unconditional(h.narrow(1, step.first - first, step.predicted()), step);
}

LazyMarRunner::Range LazyMarRunner::needed_rows(const DecodeStep& step) const {
  if (!optimizations_.needed_rows) {
    return {0, length_ + buffer_};
  }
  int64_t first = step.first;
  if (keeps_difference(step)) {
    for (size_t next = static_cast<size_t>(step.index) + 1;
         next < steps_.size() && steps_[next].partial(); ++next) {
      first = steps_[next].first;
    }
  }
  return {first, step.masked - first};
}

at::Tensor LazyMarRunner::decode_rows(std::span<const Block> blocks, const RowInputs& inputs,
                                      const DecodeStep& step, at::Tensor& rows) {
  const int64_t all = length_ + buffer_;
  // If the next step computes every row, it needs nothing from this one.
  const bool store =
      optimizations_.needed_stores ? next_prunes(step) : options_.token && keeps(step);
  at::Tensor h = inputs.x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    const auto layer = static_cast<int64_t>(i);
    const bool prunes_here = layer == options_.prune_layer && prunes(step);
    const BlockRows of(blocks, i, h, inputs, !prunes_here && i + 1 < blocks.size());
    if (prunes_here) {
      h = prune(block, h, of, step, rows);
      if (store) {
        decoder_[i].store(of.keys_values(), cached_halves_ * images_, all, 0);
      }
      continue;
    }
    at::Tensor kv = of.keys_values();
    if (rows.defined()) {
      write_rows(decoder_[i].rows, rows, kv);
      kv = decoder_[i].rows;
    } else if (store && layer >= options_.prune_layer) {
      // Layers before the pruning one are computed on all rows in every step: nothing to keep.
      decoder_[i].store(kv, cached_halves_ * images_, all, 0);
    }
    // Every row supplies keys and values; in the last block, not every row needs a query.
    Range asking{0, h.size(1)};
    if (i + 1 == blocks.size() && rows.defined() && optimizations_.needed_rows) {
      asking.count = step.predicted();
      rows = rows.narrow(1, 0, asking.count);
    } else if (i + 1 == blocks.size() && !rows.defined()) {
      asking = needed_rows(step);
    }
    const auto part = [&](const at::Tensor& t) { return t.narrow(1, asking.first, asking.count); };
    h = block.rest(part(h), of.queries(part), kv);
  }
  return h;
}

at::Tensor LazyMarRunner::prune(const Block& block, const at::Tensor& x,
                                const BlockRows& projections, const DecodeStep& step,
                                at::Tensor& rows) {
  const int64_t width = x.size(2);
  const KvCache& before = decoder_[static_cast<size_t>(options_.prune_layer)];
  const at::Tensor similarity =
      mean_cosine_similarity(projections.keys_values().narrow(2, width, width),
                             before.rows.narrow(2, width, width), block.heads);
  rows = least_similar_rows(similarity, raster_rows_, step, rows_to_keep(step));
  const auto kept = [&](const at::Tensor& t) { return take_rows(t, rows); };
  if (!optimizations_.kept_queries) {
    const auto all = [](const at::Tensor& t) { return t; };
    return kept(block.rest(x, projections.queries(all), projections.keys_values()));
  }
  return block.rest(kept(x), projections.queries(kept), projections.keys_values());
}

int64_t LazyMarRunner::rows_to_keep(const DecodeStep& step) const {
  const int64_t rows = length_ + buffer_;
  const auto share = static_cast<int64_t>(static_cast<double>(rows) * retain_.ratio(step.index));
  return std::min(rows, std::max(step.predicted() + step.just_decoded() + options_.extra, share));
}

bool LazyMarRunner::next_prunes(const DecodeStep& step) const {
  const auto next = static_cast<size_t>(step.index) + 1;
  return next < steps_.size() && prunes(steps_[next]);
}

at::Tensor LazyMarRunner::add_unconditional(const at::Tensor& rows, const DecodeStep& step) const {
  if (computed_halves(step) == halves_) {
    return rows;
  }
  const at::Tensor kept = difference_.narrow(1, step.first, step.predicted());
  return at::cat({rows, rows + kept * options_.condition_scale});
}

}  // namespace lazymar
