#pragma once
/// The MAR network: encoder-decoder transformer and diffusion head (Li et al. 2024,
/// arXiv:2406.11838; models/mar.py of github LTH14/mar).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/exact_optimizations.h"
#include "core/network_config.h"
#include "diffusion/head.h"
#include "mar/row_inputs.h"
#include "mar/runner.h"
#include "method/decoding_plan.h"
#include "nn/block.h"

namespace lazymar {

/// Weights of a MAR, const in use.
struct Mar {
  MarConfig config;
  Linear z_proj, decoder_embed;
  LayerNorm z_proj_ln, encoder_norm, decoder_norm;
  at::Tensor class_emb;            ///< [classes, De]
  at::Tensor fake_latent;          ///< [1, De]
  at::Tensor mask_token;           ///< [1, 1, D]
  at::Tensor encoder_pos_embed;    ///< [1, P + L, De]
  at::Tensor decoder_pos_embed;    ///< [1, P + L, D]
  at::Tensor diffusion_pos_embed;  ///< [1, L, D]
  std::vector<Block> encoder_blocks, decoder_blocks;
  DiffusionHead head;

  /// What every batch shares: masked tokens as the decoder sees them, [1, L, *] in raster order.
  RowInputs mask_rows() const;
  /// The class embeddings of labels [B] (int64, on the model's device), then, with guidance, as
  /// many unconditional ones: [halves * B, De].
  at::Tensor class_rows(const at::Tensor& labels, bool guided) const;

  /// Begins a new batch in `batch`, which may hold an earlier one: orders [B, L] int64 on the
  /// model's device, class_rows [halves * B, De], mask_rows as above.
  void begin(MarBatch& batch, const at::Tensor& orders, const at::Tensor& class_rows,
             const RowInputs& mask_rows, const ExactOptimizations& optimizations = {}) const;

  /// The first part of a decoding step: embeds the just decoded rows of tokens [B, L, C] (in
  /// decoding order), encodes, and updates the decoder's inputs.
  void encode(Runner& runner, MarBatch& batch, const at::Tensor& tokens,
              const DecodeStep& step) const;
  /// The second part -> z of the rows to be predicted, [halves * B, n, D].
  at::Tensor decode(Runner& runner, const MarBatch& batch, const DecodeStep& step) const;

 private:
  void embed_new_tokens(MarBatch& batch, const at::Tensor& tokens, const DecodeStep& step) const;
  void update_decoder_rows(MarBatch& batch, const at::Tensor& encoded,
                           const EncoderRows& rows) const;
};

/// Reads every tensor of a MAR's state dict.
Mar load_mar(WeightSource& weights, const MarConfig& config);

}  // namespace lazymar
