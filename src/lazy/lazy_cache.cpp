#include "lazymar/lazy/lazy_cache.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "lazymar/lazy/row_selection.h"
#include "lazymar/nn/ops.h"

namespace lazymar {

LazyCache::LazyCache(const LazyOptions& options, const MarConfig& config, int64_t num_iter,
                     bool guided)
    : options_(options),
      retain_(options, num_iter),
      length_(config.sequence_length),
      buffer_(config.buffer_size),
      num_iter_(num_iter),
      halves_(guided ? 2 : 1),
      cached_halves_(options.condition ? 1 : halves_),
      encoder_(static_cast<size_t>(config.encoder_depth)),
      decoder_(static_cast<size_t>(config.decoder_depth)) {}

bool LazyCache::lazy(int64_t step) const {
  const bool cached = options_.token || (options_.condition && halves_ == 2);
  return cached && step >= options_.warmup && (step - options_.warmup) % options_.refresh != 0;
}

bool LazyCache::refreshes(const DecodeStep& step) const {
  // Only the last full step before a lazy one has to leave anything behind.
  return !lazy(step.index) && step.index + 1 < num_iter_ && lazy(step.index + 1);
}

int64_t LazyCache::computed_halves(const DecodeStep& step) const {
  return lazy(step.index) && options_.condition ? 1 : halves_;
}

void LazyCache::begin(const MarBatch& batch) {
  if (options_.token) {
    raster_rows_ = rows_in_raster_order(batch.orders, buffer_).repeat({cached_halves_, 1});
  }
}

EncoderRows LazyCache::encoder_rows(const DecodeStep& step) {
  const int64_t last = reuses_tokens(step) ? step.masked_before : length_;
  return {step.masked, last, computed_halves(step)};
}

at::Tensor LazyCache::encode(std::span<const Block> blocks, const at::Tensor& x,
                             const DecodeStep& step) {
  const int64_t rows = length_ + buffer_;
  const int64_t fresh = step.just_decoded();
  const bool store = options_.token && refreshes(step);
  at::Tensor h = x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    auto [q, k, v] = blocks[i].qkv(h);
    KvCache& cache = encoder_[i];
    if (reuses_tokens(step)) {
      cache.write(k, v, 0, step.masked, fresh);
      cache.write(k, v, fresh, length_, buffer_);
      k = cache.k.narrow(2, step.masked, rows - step.masked);
      v = cache.v.narrow(2, step.masked, rows - step.masked);
    } else if (store) {
      cache.store(k, v, cached_halves_ * x.size(0) / halves_, rows, step.masked);
    }
    h = blocks[i].feed_forward(blocks[i].attend(h, q, k, v));
  }
  return h;
}

at::Tensor LazyCache::decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                                    const DecodeStep& step) {
  if (reuses_tokens(step)) {
    const int64_t fresh = step.just_decoded();
    decoder_input_.narrow(1, step.masked, fresh).copy_(encoded.narrow(1, 0, fresh));
    decoder_input_.narrow(1, length_, buffer_).copy_(encoded.narrow(1, fresh, buffer_));
    return decoder_input_;
  }
  at::Tensor input = full_decoder_input(mask_rows, encoded, step.masked);
  if (options_.token && refreshes(step)) {
    decoder_input_ = input.narrow(0, 0, cached_halves_ * mask_rows.size(0)).clone();
  }
  return input;
}

at::Tensor LazyCache::decode(std::span<const Block> blocks, const at::Tensor& x,
                             const DecodeStep& step) {
  const at::Tensor rows =
      reuses_tokens(step) ? decode_changed_rows(blocks, x, step) : decode_all_rows(blocks, x, step);
  return add_unconditional(rows, step);
}

at::Tensor LazyCache::decode_all_rows(std::span<const Block> blocks, const at::Tensor& x,
                                      const DecodeStep& step) {
  const bool refresh = refreshes(step);
  const int64_t images = x.size(0) / computed_halves(step);
  at::Tensor h = x;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [q, k, v] = blocks[i].qkv(h);
    // Layers before the pruning one are computed on all rows in every step: nothing to keep.
    if (refresh && options_.token && static_cast<int64_t>(i) >= options_.prune_layer) {
      decoder_[i].store(k, v, cached_halves_ * images, x.size(1), 0);
    }
    h = blocks[i].feed_forward(blocks[i].attend(h, q, k, v));
  }
  if (refresh && options_.condition && halves_ == 2) {
    // Only rows that are still masked will be asked for.
    const at::Tensor masked = h.narrow(1, 0, step.first);
    difference_ = masked.narrow(0, images, images) - masked.narrow(0, 0, images);
  }
  return h.narrow(1, step.first, step.predicted());
}

at::Tensor LazyCache::decode_changed_rows(std::span<const Block> blocks, const at::Tensor& x,
                                          const DecodeStep& step) {
  const int64_t keep = rows_to_keep(step);
  at::Tensor h = x;
  at::Tensor rows;  // [R, keep] that h holds, once pruned
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    KvCache& cache = decoder_[i];
    const auto layer = static_cast<int64_t>(i);
    const auto [q, k, v] = block.qkv(h);
    if (rows.defined()) {
      cache.scatter(k, v, rows);
      h = block.attend(h, q, cache.k, cache.v);
    } else {
      const bool prune = layer == options_.prune_layer && keep < x.size(1);
      const at::Tensor similarity = prune ? mean_cosine_similarity(v, cache.v) : at::Tensor();
      if (layer >= options_.prune_layer) {
        cache.store(k, v, k.size(0), x.size(1), 0);
      }
      h = block.attend(h, q, k, v);
      if (prune) {
        rows = least_similar_rows(similarity, raster_rows_, step, keep);
        h = h.gather(1, rows.unsqueeze(-1).expand({-1, -1, h.size(2)}));
      }
    }
    h = block.feed_forward(h);
  }
  if (rows.defined()) {
    // A row to be predicted that was not kept (possible where more than `extra` others have a
    // negative similarity) comes out as zero, as in the original.
    h = at::zeros_like(x).scatter_(1, rows.unsqueeze(-1).expand_as(h), h);
  }
  return h.narrow(1, step.first, step.predicted());
}

int64_t LazyCache::rows_to_keep(const DecodeStep& step) const {
  const int64_t rows = length_ + buffer_;
  const auto share = static_cast<int64_t>(static_cast<double>(rows) * retain_.ratio(step.index));
  return std::min(rows, std::max(step.predicted() + step.just_decoded() + options_.extra, share));
}

at::Tensor LazyCache::add_unconditional(const at::Tensor& rows, const DecodeStep& step) const {
  if (computed_halves(step) == halves_) {
    return rows;
  }
  const at::Tensor kept = difference_.narrow(1, step.first, step.predicted());
  return at::cat({rows, rows + kept * options_.condition_scale});
}

}  // namespace lazymar
