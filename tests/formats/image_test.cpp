#include "formats/image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "files/mapped_file.h"
#include "formats/png.h"

namespace lazymar {
namespace {

std::vector<std::byte> read(const char* name) {
  const MappedFile file(std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/images" / name);
  return {file.bytes().begin(), file.bytes().end()};
}

TEST(Image, JpegIsWhatOtherDecodersSeeButForRounding) {
  const auto jpeg = decode_image(read("colours.jpg"));
  const auto expected = decode_image(read("colours.png"));
  ASSERT_TRUE(jpeg && expected);
  ASSERT_EQ(jpeg->pixels.size(), 48U * 64 * 3);
  ASSERT_EQ(jpeg->width, 64);
  double sum = 0;
  for (size_t i = 0; i < jpeg->pixels.size(); ++i) {
    sum += std::abs(int{jpeg->pixels[i]} - int{expected->pixels[i]});
  }
  EXPECT_LT(sum / static_cast<double>(jpeg->pixels.size()), 1.0);
}

TEST(Image, GreyBecomesThreeChannelsAndAlphaIsDropped) {
  const auto grey = decode_image(read("grey.png"));
  ASSERT_TRUE(grey);
  for (size_t i = 0; i < grey->pixels.size(); i += 3) {
    ASSERT_TRUE(grey->pixels[i] == grey->pixels[i + 1] && grey->pixels[i] == grey->pixels[i + 2]);
  }
  const auto alpha = decode_image(read("alpha.png"));
  ASSERT_TRUE(alpha);
  const size_t inside = (20 * 64 + 30) * 3;
  EXPECT_EQ(alpha->pixels[inside], 200);
  EXPECT_EQ(alpha->pixels[inside + 1], 40);
  EXPECT_EQ(alpha->pixels[inside + 2], 60);
  EXPECT_TRUE(decode_image(read("palette.png")));
  // The strict reader refuses all of them.
  for (const char* name : {"grey.png", "alpha.png", "palette.png", "colours.jpg"}) {
    EXPECT_FALSE(decode_png(read(name)).has_value() && std::string(name) != "palette.png") << name;
  }
}

TEST(Image, CutOffAtAnyByteIsRefused) {
  for (const char* name : {"colours.jpg", "progressive.jpg", "colours.png", "grey.png"}) {
    const std::vector<std::byte> whole = read(name);
    for (size_t size = 0; size + 2 < whole.size(); size += 7) {
      EXPECT_FALSE(decode_image(std::span(whole).first(size))) << name << " " << size;
    }
  }
}

TEST(Image, DamageAnywhereIsSurvived) {
  int64_t refused = 0;
  for (const char* name : {"colours.jpg", "progressive.jpg", "palette.png"}) {
    for (const std::byte damage : {std::byte{0xff}, std::byte{0x01}}) {
      std::vector<std::byte> bytes = read(name);
      for (std::byte& byte : bytes) {
        byte ^= damage;
        refused += !decode_image(bytes);
        byte ^= damage;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Image, ClaimsOfHugeSizeAreRefusedBeforeAnythingIsAllocated) {
  std::vector<std::byte> png = read("colours.png");
  for (const size_t place : {16U, 20U}) {  // IHDR's width and height, big-endian
    png[place] = std::byte{0x00};
    png[place + 1] = std::byte{0x7f};
    png[place + 2] = png[place + 3] = std::byte{0xff};
  }
  EXPECT_FALSE(decode_image(png));
}

}  // namespace
}  // namespace lazymar
