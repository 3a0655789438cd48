#include "lazymar/mar/mar.h"

#include <ATen/ATen.h>

#include <string>

namespace lazymar {
namespace {

/// pos [1, P + L, D] with the buffer first -> [B, N, D] in decoding order, the buffer last.
at::Tensor in_decoding_order(const at::Tensor& pos, const at::Tensor& orders, int64_t buffer) {
  const at::Tensor of_tokens = pos[0].narrow(0, buffer, pos.size(1) - buffer);
  const at::Tensor of_buffer = pos.narrow(1, 0, buffer).expand({orders.size(0), -1, -1});
  return at::cat({of_tokens.index({orders}), of_buffer}, 1);
}

}  // namespace

MarBatch Mar::begin(const at::Tensor& orders, const at::Tensor& labels, bool guided) const {
  MarBatch batch;
  batch.images = orders.size(0);
  batch.halves = guided ? 2 : 1;
  batch.orders = orders;
  at::Tensor classes = class_emb.index({labels});
  if (guided) {
    classes = at::cat({classes, fake_latent.expand_as(classes)});
  }
  batch.class_rows = classes.unsqueeze(1);
  batch.encoder_pos = in_decoding_order(encoder_pos_embed, orders, config.buffer_size);
  batch.decoder_pos = in_decoding_order(decoder_pos_embed, orders, config.buffer_size);
  batch.mask_rows = mask_token + batch.decoder_pos.narrow(1, 0, config.sequence_length);
  batch.diffusion_pos = diffusion_pos_embed[0].index({orders});
  return batch;
}

at::Tensor Mar::with_buffer(const at::Tensor& per_row, const EncoderRows& rows) const {
  return at::cat({per_row.narrow(1, rows.first, rows.last - rows.first),
                  per_row.narrow(1, config.sequence_length, config.buffer_size)},
                 1)
      .repeat({rows.halves, 1, 1});
}

at::Tensor Mar::embed(const MarBatch& batch, const at::Tensor& tokens,
                      const EncoderRows& rows) const {
  const at::Tensor known = z_proj(tokens.narrow(1, rows.first, rows.last - rows.first));
  const at::Tensor buffer = batch.class_rows.narrow(0, 0, rows.halves * batch.images)
                                .expand({-1, config.buffer_size, -1});
  const at::Tensor x = at::cat({known.repeat({rows.halves, 1, 1}), buffer}, 1);
  return z_proj_ln(x + with_buffer(batch.encoder_pos, rows));
}

at::Tensor Mar::forward(Runner& runner, const MarBatch& batch, const at::Tensor& tokens,
                        const DecodeStep& step) const {
  const EncoderRows rows = runner.encoder_rows(step);
  at::Tensor x = embed(batch, tokens, rows);
  x = encoder_norm(runner.encode(encoder_blocks, x, step));
  x = decoder_embed(x) + with_buffer(batch.decoder_pos, rows);
  x = runner.decoder_input(batch.mask_rows, x, step);
  x = decoder_norm(runner.decode(decoder_blocks, x, step));
  return x +
         batch.diffusion_pos.narrow(1, step.first, step.predicted()).repeat({batch.halves, 1, 1});
}

Mar load_mar(WeightSource& weights, const MarConfig& config) {
  const int64_t encoder_dim = config.encoder_dim;
  const int64_t dim = config.decoder_dim;
  Mar mar;
  mar.config = config;
  mar.z_proj = load_linear(weights, "z_proj", config.token_channels, encoder_dim);
  mar.z_proj_ln = load_layer_norm(weights, "z_proj_ln", encoder_dim, config.norm_eps);
  mar.class_emb = weights.get("class_emb.weight", {config.class_count, encoder_dim});
  mar.fake_latent = weights.get("fake_latent", {1, encoder_dim});
  mar.encoder_pos_embed = weights.get("encoder_pos_embed_learned", {1, config.rows(), encoder_dim});
  const BlockShape encoder{encoder_dim, config.encoder_heads, config.encoder_mlp_dim,
                           config.norm_eps, config.tanh_gelu};
  for (int64_t i = 0; i < config.encoder_depth; ++i) {
    mar.encoder_blocks.push_back(
        load_block(weights, "encoder_blocks." + std::to_string(i), encoder));
  }
  mar.encoder_norm = load_layer_norm(weights, "encoder_norm", encoder_dim, config.norm_eps);
  mar.decoder_embed = load_linear(weights, "decoder_embed", encoder_dim, dim);
  mar.mask_token = weights.get("mask_token", {1, 1, dim});
  mar.decoder_pos_embed = weights.get("decoder_pos_embed_learned", {1, config.rows(), dim});
  const BlockShape decoder{dim, config.decoder_heads, config.decoder_mlp_dim, config.norm_eps,
                           config.tanh_gelu};
  for (int64_t i = 0; i < config.decoder_depth; ++i) {
    mar.decoder_blocks.push_back(
        load_block(weights, "decoder_blocks." + std::to_string(i), decoder));
  }
  mar.decoder_norm = load_layer_norm(weights, "decoder_norm", dim, config.norm_eps);
  mar.diffusion_pos_embed =
      weights.get("diffusion_pos_embed_learned", {1, config.sequence_length, dim});
  mar.head = load_head(weights, config);
  return mar;
}

}  // namespace lazymar
