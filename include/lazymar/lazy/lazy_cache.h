#pragma once
/// LazyMAR's token cache and condition cache (Yan et al., ICCV 2025, arXiv:2503.12450; models/
/// mar_cache.py and basic.py of github feihongyan1/LazyMAR), behind the Runner seam.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/lazy/kv_cache.h"
#include "lazymar/lazy/retain_schedule.h"
#include "lazymar/mar/runner.h"

namespace lazymar {

/// A decoding step s is full when s < warmup or (s - warmup) % refresh == 0: plain MAR, which
/// refreshes the caches. The others are lazy.
///
/// Token cache: a lazy step encodes only the buffer and the tokens just decoded; the decoder's
/// early layers run on all rows, the later ones on the rows whose values changed most.
/// Condition cache: a lazy step computes the conditional half; the unconditional output is that
/// plus the difference kept from the last full step.
class LazyCache final : public Runner {
 public:
  LazyCache(const LazyOptions& options, const MarConfig& config, int64_t num_iter, bool guided);

  /// Whether a step is lazy under these options.
  bool lazy(int64_t step) const;

  void begin(const MarBatch& batch) override;
  EncoderRows encoder_rows(const DecodeStep& step) override;
  at::Tensor encode(std::span<const Block> blocks, const at::Tensor& x,
                    const DecodeStep& step) override;
  at::Tensor decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                           const DecodeStep& step) override;
  at::Tensor decode(std::span<const Block> blocks, const at::Tensor& x,
                    const DecodeStep& step) override;

 private:
  bool refreshes(const DecodeStep& step) const;
  bool reuses_tokens(const DecodeStep& step) const { return options_.token && lazy(step.index); }
  int64_t computed_halves(const DecodeStep& step) const;

  at::Tensor decode_all_rows(std::span<const Block> blocks, const at::Tensor& x,
                             const DecodeStep& step);
  at::Tensor decode_changed_rows(std::span<const Block> blocks, const at::Tensor& x,
                                 const DecodeStep& step);
  int64_t rows_to_keep(const DecodeStep& step) const;
  at::Tensor add_unconditional(const at::Tensor& rows, const DecodeStep& step) const;

  LazyOptions options_;
  RetainSchedule retain_;
  int64_t length_;  ///< L
  int64_t buffer_;  ///< P
  int64_t num_iter_;
  int64_t halves_;          ///< of the batch: 2 with guidance
  int64_t cached_halves_;   ///< that the token cache holds
  at::Tensor raster_rows_;  ///< [R, N]: row of each raster position, the buffer first
  std::vector<KvCache> encoder_, decoder_;
  at::Tensor decoder_input_;  ///< [R, N, D]
  at::Tensor difference_;     ///< unconditional - conditional output of rows [0, first), [B, ., D]
};

}  // namespace lazymar
