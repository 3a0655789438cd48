#include "mar/mar.h"

#include <ATen/ATen.h>

#include <string>

#include "nn/capture.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

/// pos [1, P + L, D] with the buffer first -> [B, N, D] in decoding order, the buffer last.
at::Tensor in_decoding_order(const at::Tensor& pos, const at::Tensor& orders, int64_t buffer) {
  const at::Tensor of_tokens = pos[0].narrow(0, buffer, pos.size(1) - buffer);
  const at::Tensor of_buffer = pos.narrow(1, 0, buffer).expand({orders.size(0), -1, -1});
  return at::cat({of_tokens.index({orders}), of_buffer}, 1);
}

}  // namespace

RowInputs Mar::mask_rows() const {
  const at::Tensor of_tokens =
      decoder_pos_embed.narrow(1, config.buffer_size, config.sequence_length);
  return RowInputs::of(decoder_blocks.front(), (mask_token + of_tokens).contiguous());
}

at::Tensor Mar::class_rows(const at::Tensor& labels, bool guided) const {
  const at::Tensor classes = class_emb.index({labels});
  return guided ? at::cat({classes, fake_latent.expand_as(classes)}) : classes;
}

void Mar::begin(MarBatch& batch, const at::Tensor& orders, const at::Tensor& class_rows,
                const RowInputs& mask_rows, const ExactOptimizations& optimizations) const {
  const int64_t batch_rows = class_rows.size(0);
  batch.images = orders.size(0);
  batch.halves = batch_rows / batch.images;
  batch.optimizations = optimizations;
  overwrite(batch.orders, orders);
  overwrite(batch.encoder_pos, in_decoding_order(encoder_pos_embed, orders, config.buffer_size));
  overwrite(batch.decoder_pos, in_decoding_order(decoder_pos_embed, orders, config.buffer_size));
  overwrite(batch.diffusion_pos, diffusion_pos_embed[0].index({orders}));
  const at::Tensor buffer =
      class_rows.unsqueeze(1) + encoder_pos_embed.narrow(1, 0, config.buffer_size);
  const RowInputs of_buffer = RowInputs::of(encoder_blocks.front(), z_proj_ln(buffer));
  batch.encoder.make_room(of_buffer, batch_rows, config.rows());
  batch.encoder.write(of_buffer, config.sequence_length);
  batch.decoder.make_room(mask_rows, batch_rows, config.rows());
  batch.decoder.write(mask_rows.gathered(orders), 0, batch.halves);
}

void Mar::embed_new_tokens(MarBatch& batch, const at::Tensor& tokens,
                           const DecodeStep& step) const {
  const int64_t last = batch.optimizations.row_inputs ? step.masked_before : config.sequence_length;
  const int64_t count = last - step.masked;
  if (count == 0) {
    return;
  }
  const at::Tensor x = z_proj_ln(z_proj(tokens.narrow(1, step.masked, count)) +
                                 batch.encoder_pos.narrow(1, step.masked, count));
  // Both halves see the same tokens.
  batch.encoder.write(RowInputs::of(encoder_blocks.front(), x), step.masked, batch.halves);
}

void Mar::update_decoder_rows(MarBatch& batch, const at::Tensor& encoded,
                              const EncoderRows& rows) const {
  const int64_t count = rows.last - rows.first;
  const int64_t length = config.sequence_length;
  const at::Tensor pos = at::cat({batch.decoder_pos.narrow(1, rows.first, count),
                                  batch.decoder_pos.narrow(1, length, config.buffer_size)},
                                 1)
                             .repeat({rows.halves, 1, 1});
  const RowInputs changed =
      RowInputs::of(decoder_blocks.front(), lazymar::add(pos, decoder_embed(encoded)));
  const auto part = [&](int64_t first, int64_t size) {
    return RowInputs{changed.x.narrow(1, first, size), changed.q.narrow(1, first, size),
                     changed.kv.narrow(1, first, size)};
  };
  batch.decoder.write(part(0, count), rows.first);
  batch.decoder.write(part(count, config.buffer_size), length);
  if (!batch.optimizations.row_inputs) {
    const at::Tensor all = batch.decoder.x.narrow(0, 0, encoded.size(0));
    batch.decoder.write(RowInputs::of(decoder_blocks.front(), all), 0);
  }
}

void Mar::encode(Runner& runner, MarBatch& batch, const at::Tensor& tokens,
                 const DecodeStep& step) const {
  embed_new_tokens(batch, tokens, step);
  const at::Tensor encoded = runner.encode(encoder_blocks, batch.encoder, step);
  update_decoder_rows(batch, encoder_norm(encoded, decoder_embed.input_type()),
                      runner.encoder_rows(step));
}

at::Tensor Mar::decode(Runner& runner, const MarBatch& batch, const DecodeStep& step) const {
  const at::Tensor z = decoder_norm(runner.decode(decoder_blocks, batch.decoder, step));
  return z +
         batch.diffusion_pos.narrow(1, step.first, step.predicted()).repeat({batch.halves, 1, 1});
}

Mar load_mar(WeightSource& weights, const MarConfig& config) {
  const int64_t encoder_dim = config.encoder_dim;
  const int64_t dim = config.decoder_dim;
  Mar mar;
  mar.config = config;
  mar.z_proj =
      load_linear(weights, LayerRole::kExact, "z_proj", config.token_channels, encoder_dim);
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
  mar.decoder_embed =
      load_linear(weights, LayerRole::kEmbedding, "decoder_embed", encoder_dim, dim);
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
