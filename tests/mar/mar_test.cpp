#include "mar/mar.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/tiny_model.h"

namespace lazymar {
namespace {

/// MAR's forward pass as in the paper: raster order, buffer first, boolean masks.
at::Tensor raster_forward(const Mar& mar, const at::Tensor& tokens, const at::Tensor& known,
                          const at::Tensor& class_embedding) {
  const int64_t buffer = mar.config.buffer_size;
  at::Tensor x = at::cat({class_embedding.expand({buffer, -1}), mar.z_proj(tokens)});
  x = mar.z_proj_ln(x + mar.encoder_pos_embed[0]);
  const at::Tensor seen = at::cat({at::ones({buffer}, c10::kBool), known});
  at::Tensor encoded = x.index({seen}).unsqueeze(0);
  for (const Block& block : mar.encoder_blocks) {
    encoded = block(encoded);
  }
  encoded = mar.decoder_embed(mar.encoder_norm(encoded));
  at::Tensor h = mar.mask_token[0].expand({mar.config.rows(), -1}).clone();
  h.index_put_({seen}, encoded[0]);
  h = (h + mar.decoder_pos_embed[0]).unsqueeze(0);
  for (const Block& block : mar.decoder_blocks) {
    h = block(h);
  }
  return mar.decoder_norm(h)[0].narrow(0, buffer, mar.config.sequence_length) +
         mar.diffusion_pos_embed[0];
}

TEST(Mar, DecodingOrderIsRasterOrderPermuted) {
  const Mar mar = testing::tiny_mar();
  const int64_t length = mar.config.sequence_length;
  const at::Tensor orders = at::stack({at::randperm(length), at::randperm(length)});
  const at::Tensor labels = at::tensor({2, 0}, c10::kLong);
  MarBatch batch;
  mar.begin(batch, orders, mar.class_rows(labels, /*guided=*/true), mar.mask_rows());
  const at::Tensor tokens = at::randn({2, length, 4}, c10::kDouble);  // by row
  DecodeStep step;
  step.first = 5;
  step.masked = 9;
  step.masked_before = length;
  FullRunner runner;
  runner.begin(batch);
  mar.encode(runner, batch, tokens, step);
  const at::Tensor z = mar.decode(runner, batch, step);
  ASSERT_EQ(z.sizes(), (std::vector<int64_t>{4, 4, 32}));
  for (int64_t half = 0; half < 2; ++half) {
    for (int64_t image = 0; image < 2; ++image) {
      at::Tensor raster = at::zeros({length, 4}, c10::kDouble);
      raster.index_put_({orders[image]}, tokens[image]);
      at::Tensor known = at::zeros({length}, c10::kBool);
      known.index_put_({orders[image].narrow(0, step.masked, length - step.masked)},
                       at::ones({}, c10::kBool));
      const at::Tensor embedding =
          half == 0 ? mar.class_emb[labels[image].item<int64_t>()] : mar.fake_latent[0];
      const at::Tensor expected = raster_forward(mar, raster, known, embedding)
                                      .index({orders[image].narrow(0, step.first, 4)});
      EXPECT_LT(testing::relative_error(z[half * 2 + image], expected), 1e-12);
    }
  }
}

TEST(Mar, EncoderAndDecoderMayDiffer) {
  MarConfig config = testing::tiny_config();
  config.decoder_dim = 48;
  config.decoder_depth = 2;
  config.decoder_heads = 3;
  config.decoder_mlp_dim = 100;
  const Mar mar = testing::tiny_mar(config);
  const at::Tensor orders = at::arange(16).unsqueeze(0);
  const at::Tensor labels = at::zeros({1}, c10::kLong);
  MarBatch batch;
  mar.begin(batch, orders, mar.class_rows(labels, false), mar.mask_rows());
  FullRunner runner;
  runner.begin(batch);
  DecodeStep step;
  step.masked = 3;
  step.masked_before = 16;
  mar.encode(runner, batch, at::randn({1, 16, 4}, c10::kDouble), step);
  const at::Tensor z = mar.decode(runner, batch, step);
  EXPECT_EQ(z.sizes(), (std::vector<int64_t>{1, 3, 48}));
}

}  // namespace
}  // namespace lazymar
