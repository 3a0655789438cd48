#include "lazymar/vae/kl_decoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "lazymar/nn/flops.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

VaeConfig small_config() {
  VaeConfig config;
  config.embed_dim = 3;
  config.z_channels = 5;
  config.blocks_per_level = 2;
  config.groups = 4;
  config.middle_width = 16;
  config.level_widths = {8, 16, 8};
  return config;
}

KlDecoder small_decoder() {
  testing::RicherRandomWeights weights({c10::kDouble, c10::kCPU});
  return load_kl_decoder(weights, small_config());
}

TEST(KlDecoder, EveryLevelButTheFinestDoublesTheSize) {
  const KlDecoder decoder = small_decoder();
  EXPECT_EQ(decoder.config.stride(), 4);
  const at::Tensor images = decoder.decode(at::randn({2, 3, 8, 8}, c10::kDouble));
  EXPECT_EQ(images.sizes(), (std::vector<int64_t>{2, 3, 32, 32}));
  EXPECT_TRUE(images.isfinite().all().item<bool>());
}

TEST(KlDecoder, ChunksChangeNothing) {
  const KlDecoder decoder = small_decoder();
  // 40 images of 128x128 are more than one chunk.
  const at::Tensor latents = at::randn({40, 3, 32, 32}, c10::kDouble);
  const at::Tensor all = decoder.decode(latents);
  EXPECT_LT(testing::relative_error(decoder.decode(latents.narrow(0, 39, 1)), all.narrow(0, 39, 1)),
            1e-12);
}

TEST(KlDecoder, UndoesTheLatentScale) {
  KlDecoder decoder = small_decoder();
  const at::Tensor latents = at::randn({1, 3, 8, 8}, c10::kDouble);
  const at::Tensor images = decoder.decode(latents);
  decoder.config.latent_scale = 1.0;
  EXPECT_LT(testing::relative_error(decoder.decode(latents / kLatentScale), images), 1e-12);
}

TEST(AttentionBlock, IsTheSoftmaxFormula) {
  const AttentionBlock block = small_decoder().middle_attention;
  const at::Tensor x = at::randn({2, 16, 3, 3}, c10::kDouble);
  const at::Tensor h = block.norm(x);
  const at::Tensor q = block.q(h).flatten(2);
  const at::Tensor k = block.k(h).flatten(2);
  const at::Tensor v = block.v(h).flatten(2);
  const at::Tensor weights = (q.transpose(1, 2).matmul(k) / std::sqrt(16.0)).softmax(-1);
  const at::Tensor expected =
      x + block.proj_out(v.matmul(weights.transpose(1, 2)).view({2, 16, 3, 3}));
  EXPECT_LT(testing::relative_error(block(x), expected), 1e-12);
}

TEST(KlDecoder, Kl16CostsWhatTheAccountingSays) {
  // 0.250 TFLOP for an image of 256x256; counted here on a single column of latents per level.
  RandomWeights weights(1, {});
  const KlDecoder decoder = load_kl_decoder(weights, kl16_config());
  work_count() = {};
  decoder.decode(at::zeros({1, 16, 16, 16}));
  EXPECT_NEAR(static_cast<double>(work_count().flops) * 1e-12, 0.250, 0.001);
}

TEST(ToPixels, RoundsAndClips) {
  // 127.5 rounds to the even 128, as np.round; 153 is exact; the rest lies on or past the ends.
  const at::Tensor x = at::tensor({0.0, 0.2, -1.0, 1.0, -30.0, 300.0});
  const at::Tensor pixels = to_pixels(x.view({1, 1, 1, 6}).expand({1, 3, 1, 6}));
  ASSERT_EQ(pixels.sizes(), (std::vector<int64_t>{1, 1, 6, 3}));
  const std::vector<int64_t> expected{128, 153, 0, 255, 0, 255};
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(pixels[0][0][i][0].item<int64_t>(), expected[static_cast<size_t>(i)]) << i;
  }
}

TEST(ToPixels, ChannelsComeLast) {
  const at::Tensor images =
      at::stack({at::full({2, 3}, -1.0), at::full({2, 3}, 0.2), at::full({2, 3}, 1.0)})
          .unsqueeze(0);
  const at::Tensor pixels = to_pixels(images);
  EXPECT_TRUE(at::equal(pixels[0][1][2], at::tensor({0, 153, 255}, c10::kByte)));
}

}  // namespace
}  // namespace lazymar
