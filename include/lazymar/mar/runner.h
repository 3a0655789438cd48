#pragma once
/// The seam behind which a cache stands: Mar says what a decoding step is, a Runner decides which
/// rows of it are computed.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "lazymar/mar/decoding_plan.h"
#include "lazymar/nn/block.h"

namespace lazymar {

/// What stays the same over a batch's decoding steps. Positions are gathered into decoding order
/// once; the buffer's rows stand last.
struct MarBatch {
  int64_t images = 0;        ///< B
  int64_t halves = 1;        ///< 2 with guidance
  at::Tensor orders;         ///< [B, L] int64: the raster position of each row
  at::Tensor class_rows;     ///< [halves * B, 1, De]: class embedding, then fake_latent
  at::Tensor encoder_pos;    ///< [B, N, De]
  at::Tensor decoder_pos;    ///< [B, N, D]
  at::Tensor mask_rows;      ///< mask_token + decoder_pos of the tokens, [B, L, D]
  at::Tensor diffusion_pos;  ///< [B, L, D]
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

  /// A new batch: whatever was kept of another one is void.
  virtual void begin(const MarBatch& batch) = 0;

  /// Which rows Mar puts into the encoder in this step.
  virtual EncoderRows encoder_rows(const DecodeStep& step) = 0;

  /// Encoder blocks over those rows: x [R, rows + P, De] -> the same shape.
  virtual at::Tensor encode(std::span<const Block> blocks, const at::Tensor& x,
                            const DecodeStep& step) = 0;

  /// Decoder input of all rows, [R, N, D]. `mask_rows` [B, L, D]: what a masked token looks like;
  /// `encoded` [R, rows + P, D]: the rows just encoded.
  virtual at::Tensor decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                                   const DecodeStep& step) = 0;

  /// Decoder blocks: x [R, N, D] -> the rows to be predicted, [halves * B, n, D], all halves.
  virtual at::Tensor decode(std::span<const Block> blocks, const at::Tensor& x,
                            const DecodeStep& step) = 0;
};

/// Computes everything: MAR itself. Owns nothing.
class FullRunner final : public Runner {
 public:
  void begin(const MarBatch& batch) override;
  EncoderRows encoder_rows(const DecodeStep& step) override;
  at::Tensor encode(std::span<const Block> blocks, const at::Tensor& x,
                    const DecodeStep& step) override;
  at::Tensor decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                           const DecodeStep& step) override;
  at::Tensor decode(std::span<const Block> blocks, const at::Tensor& x,
                    const DecodeStep& step) override;

 private:
  int64_t length_ = 0;
  int64_t halves_ = 1;
};

/// [mask rows of the masked tokens, encoded rows]: the decoder's input where every known row was
/// just encoded.
at::Tensor full_decoder_input(const at::Tensor& mask_rows, const at::Tensor& encoded,
                              int64_t masked);

}  // namespace lazymar
