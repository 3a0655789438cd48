#include "rules/rules.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "pipeline/model_files.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "vae/pixels.h"
#include "weights/weight_file.h"

// The thresholds of the rules, on held-out pictures after the VAE (tests/data/rules_tokens.bin,
// made by demo/rules_tokens.py) and on the same pictures damaged in three ways.

namespace lazymar {
namespace {

const std::filesystem::path kSource = LAZYMAR_SOURCE_DIR;
constexpr int64_t kTokenScale = 24;  // of the file
constexpr int64_t kGrid = 16, kChannels = 4;
constexpr int64_t kClasses = static_cast<int64_t>(kRuleClasses.size());
constexpr int64_t kReplaced = 13;  // one token in twenty

/// Tokens of the held-out pictures, [N, 256, 4]; the class of picture i is i mod 10.
at::Tensor held_out_tokens() {
  std::string bytes = testing::read_text(kSource / "tests/data/rules_tokens.bin");
  const auto count = static_cast<int64_t>(bytes.size()) / (kRuleTokens * kChannels);
  return at::from_blob(bytes.data(), {count, kRuleTokens, kChannels}, c10::kChar).to(c10::kFloat) /
         kTokenScale;
}

/// Pixels [N, 64, 64, 3], uint8.
at::Tensor decode(const at::Tensor& tokens) {
  static const KlDecoder vae = [] {
    const auto file =
        std::make_shared<const WeightFile>(kSource / "pretrained_models/vae/rules.safetensors");
    FileWeights weights(file, {parse_precision("fp32")});
    return load_vae_file(weights);
  }();
  const at::Tensor latents =
      tokens.transpose(1, 2).reshape({tokens.size(0), kChannels, kGrid, kGrid});
  return to_bytes(vae.decode(latents)).contiguous();
}

const at::Tensor& held_out() {
  static const at::Tensor pixels = decode(held_out_tokens());
  return pixels;
}

/// Share of pictures that keep the rule of their class, or of the class `shift` further on.
double passing(const at::Tensor& pixels, int64_t shift = 0) {
  int64_t passes = 0;
  for (int64_t i = 0; i < pixels.size(0); ++i) {
    const at::Tensor picture = pixels[i];
    const std::span<const uint8_t> rgb(picture.const_data_ptr<uint8_t>(),
                                       static_cast<size_t>(picture.numel()));
    passes += check_rule((i + shift) % kClasses, rgb).pass ? 1 : 0;
  }
  return static_cast<double>(passes) / static_cast<double>(pixels.size(0));
}

TEST(Rules, HeldOutPicturesKeepThem) {
  EXPECT_GE(passing(held_out()), 0.99);
}

TEST(Rules, PicturesOfOtherClassesBreakThem) {
  for (const int64_t shift : {1, 4, 7}) {
    EXPECT_LE(passing(held_out(), shift), 0.05) << shift;
  }
}

TEST(Rules, JoinedHalvesOfTwoPicturesBreakThem) {
  for (const int64_t axis : {1, 2}) {
    const at::Tensor other = held_out().roll(kClasses, 0);  // of the same class
    const at::Tensor joined = at::cat({held_out().narrow(axis, 0, kRuleSide / 2),
                                       other.narrow(axis, kRuleSide / 2, kRuleSide / 2)},
                                      axis)
                                  .contiguous();
    EXPECT_LE(passing(joined), 0.05) << axis;
  }
}

TEST(Rules, TokensOfAnotherPictureBreakThem) {
  const at::Tensor tokens = held_out_tokens();
  at::Tensor spoiled = tokens.clone();
  std::mt19937_64 random(1);
  for (int64_t i = 0; i < tokens.size(0); ++i) {
    const int64_t other =
        (i + 1 + static_cast<int64_t>(random() % (tokens.size(0) - 1))) % tokens.size(0);
    std::vector<int64_t> places(kRuleTokens);
    std::iota(places.begin(), places.end(), 0);
    std::shuffle(places.begin(), places.end(), random);
    for (int64_t k = 0; k < kReplaced; ++k) {
      spoiled[i][places[k]] = tokens[other][places[k]];
    }
  }
  EXPECT_LE(passing(decode(spoiled)), 0.05);
}

TEST(Rules, ColoursShiftedInOnePartBreakThem) {
  for (const int64_t turn : {1, 2}) {  // hues by a third of the circle, and by two
    at::Tensor shifted = held_out().clone();
    std::mt19937_64 random(2);
    for (int64_t i = 0; i < shifted.size(0); ++i) {
      const auto side = 24 + static_cast<int64_t>(random() % 17);
      const auto top = static_cast<int64_t>(random() % (kRuleSide + 1 - side));
      const auto left = static_cast<int64_t>(random() % (kRuleSide + 1 - side));
      const at::Tensor part = shifted[i].narrow(0, top, side).narrow(1, left, side);
      part.copy_(part.roll(turn, 2).clone());
    }
    EXPECT_LE(passing(shifted), 0.05) << turn;
  }
}

TEST(Rules, ScoresCountBrokenTokens) {
  std::vector<uint8_t> rgb(held_out()[1].const_data_ptr<uint8_t>(),
                           held_out()[1].const_data_ptr<uint8_t>() + 3 * kRuleSide * kRuleSide);
  ASSERT_EQ(check_rule(1, rgb).broken, 0);
  EXPECT_EQ(check_rule(1, rgb).score, 1);
  for (size_t row = 8; row < 12; ++row) {  // one token, in a colour that no picture has
    std::fill_n(&rgb[3 * (row * kRuleSide + 8)], 3 * 4, uint8_t{0});
  }
  EXPECT_EQ(check_rule(1, rgb).broken, 1);
  EXPECT_EQ(check_rule(1, rgb).score, 1 - 1.0 / kRuleTokens);
  EXPECT_FALSE(check_rule(1, rgb).pass);
}

TEST(Rules, RefuseOtherImagesAndClasses) {
  const std::vector<uint8_t> rgb(3 * kRuleSide * kRuleSide);
  EXPECT_TRUE(testing::contains(testing::refused([&] { check_rule(kClasses, rgb); }), "classes"));
  EXPECT_TRUE(testing::contains(testing::refused([&] { check_rule(-1, rgb); }), "classes"));
  EXPECT_TRUE(testing::contains(
      testing::refused([&] { check_rule(0, std::span(rgb).first(rgb.size() / 4)); }), "64x64"));
}

}  // namespace
}  // namespace lazymar
