#pragma once
/// The interface that a cache implements: Mar defines a decoding step, and a Runner decides which
/// of its rows are computed.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "core/exact_optimizations.h"
#include "mar/row_inputs.h"
#include "method/decoding_plan.h"
#include "nn/block.h"

namespace lazymar {

/// A batch in progress. Positions are gathered into decoding order once; the buffer rows come last.
/// The inputs of both stacks are updated row by row. The next batch of the same shape reuses the
/// memory, so a step's addresses do not change.
struct MarBatch {
  int64_t images = 0;        ///< B
  int64_t halves = 1;        ///< 2 with guidance
  at::Tensor orders;         ///< [B, L] int64: the raster position of each row
  at::Tensor encoder_pos;    ///< [B, N, De]
  at::Tensor decoder_pos;    ///< [B, N, D]
  at::Tensor diffusion_pos;  ///< [B, L, D]
  RowInputs encoder;         ///< [halves * B, N, *]: rows that are known, and the buffer
  RowInputs decoder;         ///< [halves * B, N, *]: masked rows, rows as last encoded, the buffer
  ExactOptimizations optimizations;
};

/// Token rows [first, last) and the buffer, of the first `halves` halves of the batch.
struct EncoderRows {
  int64_t first = 0;
  int64_t last = 0;
  int64_t halves = 1;
};

/// B images make halves * B rows of the batch dimension: the conditional half first, then, with
/// guidance, the unconditional one.
class Runner {
 public:
  virtual ~Runner() = default;

  /// Starts a new batch and drops what was kept of another one.
  virtual void begin(const MarBatch& batch) = 0;

  /// Whether later steps need anything of this one. If not, the caller may get z from elsewhere.
  virtual bool keeps(const DecodeStep& step) const = 0;

  /// Bytes that it holds between steps, for the whole batch.
  virtual int64_t kept_bytes() const { return 0; }

  /// The rows that the encoder outputs in this step.
  virtual EncoderRows encoder_rows(const DecodeStep& step) = 0;

  /// Encoder blocks: inputs [halves * B, N, *] -> those rows, [R, rows + P, De].
  virtual at::Tensor encode(std::span<const Block> blocks, const RowInputs& inputs,
                            const DecodeStep& step) = 0;

  /// Decoder blocks: inputs [halves * B, N, *] -> the rows to be predicted, [halves * B, n, D].
  virtual at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                            const DecodeStep& step) = 0;
};

/// Computes everything and keeps nothing: plain MAR.
class FullRunner final : public Runner {
 public:
  void begin(const MarBatch& batch) override;
  bool keeps(const DecodeStep&) const override { return false; }
  EncoderRows encoder_rows(const DecodeStep& step) override;
  at::Tensor encode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override;
  at::Tensor decode(std::span<const Block> blocks, const RowInputs& inputs,
                    const DecodeStep& step) override;

 private:
  int64_t length_ = 0;
  int64_t halves_ = 1;
  bool needed_rows_ = true;
};

}  // namespace lazymar
