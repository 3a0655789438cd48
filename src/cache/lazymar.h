#pragma once
/// LazyMAR's token cache and condition cache (Yan et al., ICCV 2025, arXiv:2503.12450; models/
/// mar_cache.py and basic.py of github feihongyan1/LazyMAR), an implementation of Runner.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cache/kv_cache.h"
#include "cache/retain_schedule.h"
#include "core/exact_optimizations.h"
#include "core/network_config.h"
#include "mar/runner.h"
#include "method/decoding_plan.h"

namespace lazymar {

/// A full decoding step is plain MAR, and refreshes the caches. The others are lazy: the plan calls
/// them partial.
///
/// Token cache: a lazy step encodes only the buffer and the tokens just decoded. The decoder's
/// early layers run on all rows, the later ones on the rows whose values changed most.
/// Condition cache: a lazy step computes the conditional half. The unconditional output is the
/// conditional one plus the difference stored by the last full step.
///
/// Shapes: B images, R = B or 2B sequences (both halves with guidance), L tokens, P rows of the
/// buffer, N = L + P, D the width.
class LazyMarRunner final : public Runner {
 public:
  /// For a plan of the policy "lazymar".
  LazyMarRunner(const MarConfig& config, const DecodingPlan& plan,
                const ExactOptimizations& optimizations = {});

  void begin(const MarBatch& batch) override;
  bool keeps(const DecodeStep& step) const override;
  int64_t kept_bytes() const override;
  EncoderRows encoder_rows(const DecodeStep& step) override;
  at::Tensor encode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override;
  at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override;

 private:
  /// Rows of the decoder, [first, first + count).
  struct Range {
    int64_t first = 0;
    int64_t count = 0;
  };

  bool reuses_tokens(const DecodeStep& step) const { return options_.token && step.partial(); }
  bool keeps_difference(const DecodeStep& step) const;
  int64_t computed_halves(const DecodeStep& step) const;
  /// Rows of the last block's output that this step, or its stored difference, needs.
  Range needed_rows(const DecodeStep& step) const;
  int64_t rows_to_keep(const DecodeStep& step) const;
  /// Whether this step skips decoder rows and reuses those of earlier steps.
  bool prunes(const DecodeStep& step) const {
    return reuses_tokens(step) && rows_to_keep(step) < length_ + buffer_;
  }
  bool next_prunes(const DecodeStep& step) const;

  /// The needed rows of the last block's output. If rows are pruned: the retained rows, predicted
  /// ones first, and their list in `rows`.
  at::Tensor decode_rows(std::span<const Block> blocks, const RowInputs& inputs,
                         const DecodeStep& step, at::Tensor& rows);
  /// The pruning layer: x [R, N, D] and its projections -> its output for the kept rows, and their
  /// list in `rows` [R, keep].
  at::Tensor prune(const Block& block, const at::Tensor& x, const BlockRows& projections,
                   const DecodeStep& step, at::Tensor& rows);
  at::Tensor add_unconditional(const at::Tensor& rows, const DecodeStep& step) const;

  LazyOptions options_;
  ExactOptimizations optimizations_;
  RetainSchedule retain_;
  int64_t length_;  ///< L
  int64_t buffer_;  ///< P
  std::vector<DecodeStep> steps_;
  int64_t halves_;          ///< of the batch: 2 with guidance
  int64_t cached_halves_;   ///< that the token cache holds
  int64_t images_ = 0;      ///< of the batch
  at::Tensor raster_rows_;  ///< [R, N]: the row of each position in raster order, buffer first
  std::vector<KvCache> encoder_, decoder_;
  at::Tensor difference_;  ///< unconditional - conditional output of masked rows, [B, L, D]
};

}  // namespace lazymar
