#include "formats/image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "files/mapped_file.h"
#include "formats/picture_kind.h"
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

TEST(Image, OtherFormatsWithoutLossHaveTheSamePixels) {
  const auto expected = decode_image(read("colours.png"));
  for (const char* name : {"colours.bmp", "colours.ppm", "colours.tif", "colours.webp"}) {
    const auto decoded = decode_image(read(name));
    ASSERT_TRUE(decoded) << name << ": " << why_not_decoded(read(name));
    EXPECT_EQ(decoded->width, expected->width) << name;
    EXPECT_TRUE(decoded->pixels == expected->pixels) << name;
    EXPECT_FALSE(decode_png(read(name))) << name;  // a run's images are PNG
  }
  const auto alpha = decode_image(read("alpha.png"));
  for (const char* name : {"alpha.tif", "alpha.webp"}) {
    const auto decoded = decode_image(read(name));
    EXPECT_TRUE(decoded && decoded->pixels == alpha->pixels) << name;
  }
  const auto grey = decode_image(read("grey.pgm"));
  EXPECT_TRUE(grey && grey->pixels == decode_image(read("grey.png"))->pixels);
}

/// The same picture as text.
std::string text_pnm(const char* kind, const DecodedImage& image, int step) {
  std::string text = concat(kind, "\n# as text\n", image.width, " ", image.height, "\n255\n");
  for (size_t i = 0; i < image.pixels.size(); i += static_cast<size_t>(step)) {
    text += concat(int{image.pixels[i]}, i % 5 == 0 ? "\n" : "  ");
  }
  return text;
}

TEST(Image, PnmAsTextIsRead) {
  const auto bytes = [](const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  };
  const auto colours = decode_image(read("colours.png"));
  const std::string ppm = text_pnm("P3", *colours, 1);
  const auto decoded = decode_image(bytes(ppm));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->pixels == colours->pixels);
  const auto grey = decode_image(read("grey.png"));
  const std::string pgm = text_pnm("P2", *grey, 3);
  const auto decoded_grey = decode_image(bytes(pgm));
  EXPECT_TRUE(decoded_grey && decoded_grey->pixels == grey->pixels);
  for (size_t size = 0; size + 5 < pgm.size(); size += 7) {
    EXPECT_FALSE(decode_image(bytes(pgm).first(size))) << size;
  }
  for (const std::string& bad :
       {std::string("P3\n1 1 255\n1 2 256\n"), std::string("P3\n1 1 255\n1 2\n"),
        std::string("P3\n1 1 255\n1 -2 3\n"), std::string("P3\n900000000 900000000 255\n1 2 3\n"),
        std::string("P3\n8000 8000 255\n1 2 3\n"), std::string("P3\n1 1 255"),
        std::string("P3\n0 1 255\n")}) {
    EXPECT_FALSE(decode_image(bytes(bad))) << bad;
  }
  EXPECT_NE(why_not_decoded(bytes("P3\n1 1 1023\n1 2 3\n")).find("values up to 1023 is not read"),
            std::string::npos);
}

TEST(Image, WhatIsNotReadIsSaidByName) {
  for (const auto& [name, said] : {std::pair{"small.gif", "GIF is not read; save PNG"},
                                   {"small.avif", "AVIF is not read; save PNG"},
                                   {"animated.webp", "an animated WebP is not read"},
                                   {"README.md", "not a picture of a known format"}}) {
    EXPECT_FALSE(decode_image(read(name))) << name;
    EXPECT_NE(why_not_decoded(read(name)).find(said), std::string::npos)
        << why_not_decoded(read(name));
  }
  std::vector<std::byte> torn = read("colours.webp");
  torn.resize(torn.size() / 2);
  EXPECT_NE(why_not_decoded(torn).find("a damaged or truncated WebP"), std::string::npos);
}

// stb_image 2.27 reads such files out of bounds, or in the wrong brightness.
TEST(Image, APnmWithOtherValuesThan255IsRefused) {
  const auto pnm = [](const std::string& header, size_t size) {
    const std::string file = header + std::string(size, '\x30');
    const auto* const first = reinterpret_cast<const std::byte*>(file.data());
    return std::vector<std::byte>(first, first + file.size());
  };
  EXPECT_TRUE(decode_image(pnm("P5 1 5 255\n", 5)));
  EXPECT_TRUE(decode_image(pnm("P5 1 # a comment\r5 255\n", 5)));
  for (const char* most : {"5151", "65535", "256", "254", "1"}) {
    const auto file = pnm(concat("P5 1 5 ", most, "\n"), 20);
    EXPECT_FALSE(decode_image(file)) << most;
    EXPECT_NE(why_not_decoded(file).find(concat("values up to ", most)), std::string::npos);
  }
  // The comment ends at \r, as for stb_image: 16 bits, not 8.
  EXPECT_FALSE(decode_image(pnm("P5 1 5 #\r5151\n 255\n", 20)));
}

TEST(Image, NamesOfPicturesAreKnownInAnyCase) {
  for (const char* name :
       {"a.png", "b.JPEG", "c.WebP", "d.tiff", "e.heic", "x/y.z.GIF", "f.ico", "g.SVG"}) {
    EXPECT_TRUE(is_picture_name(name)) << name;
  }
  for (const char* name : {"notes.txt", "png", "a.png.txt", "a.png/b", "info.json", ""}) {
    EXPECT_FALSE(is_picture_name(name)) << name;
  }
}

TEST(Image, GreyBecomesThreeChannelsAndAlphaIsDropped) {
  const auto grey = decode_image(read("grey.png"));
  ASSERT_TRUE(grey);
  for (size_t i = 0; i < grey->pixels.size(); i += 3) {
    ASSERT_TRUE(grey->pixels[i] == grey->pixels[i + 1] && grey->pixels[i] == grey->pixels[i + 2]);
  }
  const auto alpha = decode_image(read("alpha.png"));
  ASSERT_TRUE(alpha);
  const size_t inside = (size_t{20} * 64 + 30) * 3;
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
  for (const char* name : {"colours.jpg", "progressive.jpg", "colours.png", "grey.png",
                           "colours.bmp", "colours.ppm", "colours.tif", "colours.webp"}) {
    const std::vector<std::byte> whole = read(name);
    for (size_t size = 0; size + 2 < whole.size(); size += 7) {
      EXPECT_FALSE(decode_image(std::span(whole).first(size))) << name << " " << size;
    }
  }
}

TEST(Image, DamageAnywhereIsSurvived) {
  int64_t refused = 0;
  for (const char* name : {"colours.jpg", "progressive.jpg", "palette.png", "alpha.webp"}) {
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

TEST(Image, AJpegBehindFillingBytesDoesNotEscapeTheChecks) {
  std::vector<std::byte> jpeg = read("colours.jpg");
  EXPECT_TRUE(decode_image(jpeg));
  jpeg.insert(jpeg.begin(), 3, std::byte{0xff});
  EXPECT_FALSE(decode_image(jpeg));
}

TEST(Image, AChunkThatClaimsMoreThanThePngHasIsRefused) {
  std::vector<std::byte> png = read("colours.png");
  const std::string text(reinterpret_cast<const char*>(png.data()), png.size());
  EXPECT_TRUE(is_whole_png(text));
  EXPECT_FALSE(is_whole_png(text.substr(0, text.size() - 1)));
  const size_t length = text.find("IDAT") - 4;
  png[length] = std::byte{0x3f};
  EXPECT_FALSE(is_whole_png({reinterpret_cast<const char*>(png.data()), png.size()}));
  EXPECT_FALSE(decode_image(png));
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
