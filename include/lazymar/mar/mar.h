#pragma once
/// The MAR network: encoder-decoder transformer and diffusion head (Li et al. 2024,
/// arXiv:2406.11838; models/mar.py of github LTH14/mar).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/diffusion/head.h"
#include "lazymar/mar/decoding_plan.h"
#include "lazymar/mar/runner.h"
#include "lazymar/nn/block.h"

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

  /// orders [B, L] and labels [B], int64 on the model's device.
  MarBatch begin(const at::Tensor& orders, const at::Tensor& labels, bool guided) const;

  /// One decoding step: tokens [B, L, C] in decoding order -> z of the rows to be predicted,
  /// [halves * B, n, D].
  at::Tensor forward(Runner& runner, const MarBatch& batch, const at::Tensor& tokens,
                     const DecodeStep& step) const;

 private:
  at::Tensor embed(const MarBatch& batch, const at::Tensor& tokens, const EncoderRows& rows) const;
  /// Rows [first, last) of the tokens and the buffer's, out of [B, N, *], for `halves` halves.
  at::Tensor with_buffer(const at::Tensor& per_row, const EncoderRows& rows) const;
};

/// Reads every tensor of a MAR's state dict.
Mar load_mar(WeightSource& weights, const MarConfig& config);

}  // namespace lazymar
