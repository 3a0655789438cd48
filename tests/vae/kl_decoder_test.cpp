#include "vae/kl_decoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "nn/flops.h"
#include "nn/plain_ops.h"
#include "support/tiny_model.h"
#include "vae/pixels.h"

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
  testing::RicherRandomWeights weights({parse_precision("fp64")});
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
  const at::Tensor x = at::randn({2, 3, 3, 16}, c10::kDouble);
  const GroupNorm& norm = block.norm;
  const at::Tensor h =
      plain::group_norm(x, norm.weight, norm.bias, norm.groups, norm.eps, c10::kDouble);
  const auto rows = [](const at::Tensor& t) { return t.flatten(1, 2); };
  const at::Tensor weights =
      (rows(block.q(h)).matmul(rows(block.k(h)).transpose(1, 2)) / std::sqrt(16.0)).softmax(-1);
  const at::Tensor expected = x + block.proj_out(weights.matmul(rows(block.v(h))).view(x.sizes()));
  EXPECT_LT(testing::relative_error(block(x), expected), 1e-12);
}

TEST(Convolution, KeepsChannelsLast) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat, c10::kBFloat16}) {
    const double tolerance = type == c10::kDouble ? 1e-12 : type == c10::kFloat ? 1e-5 : 3e-2;
    for (const int64_t kernel : {1, 3}) {
      const c10::ScalarType outside = type == c10::kDouble ? type : c10::kFloat;
      const at::Tensor weight = at::randn({6, 4, kernel, kernel}, outside) / 6;
      const at::Tensor bias = at::randn({6}, outside);
      const at::Tensor x = at::randn({2, 5, 7, 4}, outside);
      const at::Tensor y = Convolution(weight, bias, type)(x);
      EXPECT_EQ(y.scalar_type(), type);
      EXPECT_TRUE(y.is_contiguous());
      const at::Tensor expected =
          at::conv2d(x.permute({0, 3, 1, 2}).to(c10::kDouble), weight.to(c10::kDouble),
                     bias.to(c10::kDouble), 1, kernel / 2)
              .permute({0, 2, 3, 1});
      EXPECT_LT(testing::relative_error(y.to(c10::kDouble), expected), tolerance);
    }
  }
}

/// Saving V and its twin.
TEST(UpsampleConvolution, IsNearestNeighbourAndAConvolution) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat, c10::kBFloat16}) {
    const double tolerance = type == c10::kDouble ? 1e-12 : type == c10::kFloat ? 1e-5 : 3e-2;
    const c10::ScalarType outside = type == c10::kDouble ? type : c10::kFloat;
    for (const auto& [height, width, channels] :
         {std::tuple{5, 7, 4}, {1, 1, 4}, {2, 1, 4}, {5, 7, 32}}) {  // 32 fill AMX's tiles
      const at::Tensor weight = at::randn({6, channels, 3, 3}, outside) / 6;
      const at::Tensor bias = at::randn({6}, outside);
      const at::Tensor x = at::randn({2, height, width, channels}, outside);
      const at::Tensor large =
          at::upsample_nearest2d(x.permute({0, 3, 1, 2}).to(c10::kDouble), {2 * height, 2 * width});
      const at::Tensor expected =
          at::conv2d(large, weight.to(c10::kDouble), bias.to(c10::kDouble), 1, 1)
              .permute({0, 2, 3, 1});
      work_count() = {};
      const at::Tensor y = UpsampleConvolution(weight, bias, type)(x);
      EXPECT_EQ(work_count().flops, 2 * 2 * 4 * (height + 1) * (width + 1) * 4 * channels * 6);
      EXPECT_EQ(y.scalar_type(), outside);
      EXPECT_LT(testing::relative_error(y.to(c10::kDouble), expected), tolerance);
      // The control: with a flipped kernel the result differs.
      const at::Tensor other = UpsampleConvolution(weight.flip({2, 3}), bias, type)(x);
      EXPECT_GT(testing::relative_error(other.to(c10::kDouble), expected), 0.1);
    }
  }
}

TEST(KlDecoder, Kl16CostsWhatTheAccountingSays) {
  // 0.250 TFLOP for an image of 256x256, less what the upsampling convolutions save: 3x3 taps on
  // (2h)^2 pixels against four times 2x2 taps on (h + 1)^2.
  double expected = 0.250;
  for (const auto& [h, width] : {std::pair{16.0, 512.0}, {32, 256}, {64, 256}, {128, 128}}) {
    expected -= 2e-12 * width * width * (36 * h * h - 16 * (h + 1) * (h + 1));
  }
  RandomWeights weights(1, {});
  const KlDecoder decoder = load_kl_decoder(weights, kl16_config());
  work_count() = {};
  decoder.decode(at::zeros({1, 16, 16, 16}));
  EXPECT_NEAR(static_cast<double>(work_count().flops) * 1e-12, expected, 0.001);
}

TEST(ToPixels, RoundsAndClips) {
  // 127.5 rounds to the even 128, as in np.round; 153 is exact; the rest is at or beyond the ends.
  const at::Tensor x = at::tensor({0.0, 0.2, -1.0, 1.0, -30.0, 300.0});
  const at::Tensor pixels = to_bytes(x.view({1, 1, 1, 6}).expand({1, 3, 1, 6}));
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
  const at::Tensor pixels = to_bytes(images);
  EXPECT_TRUE(at::equal(pixels[0][1][2], at::tensor({0, 153, 255}, c10::kByte)));
}

}  // namespace
}  // namespace lazymar
