#include "formats/png.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "formats/image.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace lazymar {
namespace {

std::vector<uint8_t> noisy_pixels(int64_t width, int64_t height) {
  std::vector<uint8_t> pixels(static_cast<size_t>(width * height * 3));
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint8_t>((i * 2654435761U) >> 13);
  }
  return pixels;
}

TEST(Png, DecodesToTheSamePixels) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {64, 64}, {3, 200}}) {
    const std::vector<uint8_t> pixels = noisy_pixels(width, height);
    const std::vector<std::byte> png = encode_png(pixels, width, height);
    int w = 0;
    int h = 0;
    int channels = 0;
    const std::unique_ptr<stbi_uc, decltype(&std::free)> decoded(
        stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(png.data()),
                              static_cast<int>(png.size()), &w, &h, &channels, 0),
        &std::free);
    ASSERT_NE(decoded, nullptr);
    EXPECT_EQ(w, width);
    EXPECT_EQ(h, height);
    EXPECT_EQ(channels, 3);
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), decoded.get()));
  }
}

TEST(Png, SaysWhatItWasTold) {
  const std::vector<uint8_t> pixels = noisy_pixels(7, 3);
  const PngText text{{"Software", "lazymar"}, {"id", "12"}, {"empty", ""}};
  const std::vector<std::byte> png = encode_png(pixels, 7, 3, text);
  EXPECT_EQ(read_png_text(png), text);
  EXPECT_EQ(decode_png(png)->pixels, pixels);
  EXPECT_TRUE(looks_like_png(std::span(png).first(kPngMargin), std::span(png).last(kPngMargin)));
  const std::vector<std::byte> without = encode_png(pixels, 7, 3);
  EXPECT_TRUE(read_png_text(without).empty());
  EXPECT_EQ(png.size(), without.size() + 3 * 13 + 15 + 4 + 5);
}

TEST(Png, DamagedTextEndsTheList) {
  const std::vector<std::byte> png =
      encode_png(noisy_pixels(2, 2), 2, 2, {{"id", "12"}, {"class", "7"}});
  for (size_t size = 0; size < png.size(); ++size) {
    EXPECT_LE(read_png_text(std::span(png).first(size)).size(), 2U);
  }
  for (size_t position = 33; position < 33 + 17; ++position) {
    std::vector<std::byte> damaged = png;
    damaged[position] ^= std::byte{0x40};
    EXPECT_TRUE(read_png_text(damaged).empty()) << position;
  }
}

TEST(Png, TilesStandInRowsAndMissingOnesAreWhite) {
  const std::vector<std::vector<uint8_t>> tiles{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}};
  const std::vector<uint8_t> sheet = tile_images(tiles, 1, 1, 2, 2);
  const std::vector<uint8_t> expected{1, 1, 1, 2, 2, 2, 3, 3, 3, 255, 255, 255};
  EXPECT_EQ(sheet, expected);
}

TEST(Png, TilesKeepTheirRows) {
  const std::vector<uint8_t> left = noisy_pixels(2, 2);
  const std::vector<uint8_t> right(12, 9);
  const std::vector<uint8_t> sheet =
      tile_images(std::vector<std::vector<uint8_t>>{left, right}, 2, 2, 2, 1);
  EXPECT_TRUE(std::equal(left.begin() + 6, left.end(), sheet.begin() + 12));
  EXPECT_EQ(sheet[6], 9);
}

TEST(Png, DecodingGivesTheSamePixels) {
  std::vector<uint8_t> pixels(5 * 4 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint8_t>(i * 37);
  }
  std::vector<std::byte> png = encode_png(pixels, 5, 4);
  const auto decoded = decode_png(png);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->width, 5);
  EXPECT_EQ(decoded->height, 4);
  EXPECT_EQ(decoded->pixels, pixels);
  const auto whole = [&] {
    const std::span all(png);
    return looks_like_png(all.first(kPngMargin), all.last(kPngMargin));
  };
  EXPECT_TRUE(whole());
  png.pop_back();
  EXPECT_FALSE(whole());
  png.resize(30);
  EXPECT_FALSE(decode_png(png));
}

}  // namespace
}  // namespace lazymar
