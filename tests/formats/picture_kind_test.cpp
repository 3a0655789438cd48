// What is said of pictures that are not read, or not entirely.
#include "formats/picture_kind.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/text.h"
#include "files/mapped_file.h"
#include "formats/image.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using namespace std::string_view_literals;

std::vector<std::byte> read(const char* name) {
  const MappedFile file(std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/images" / name);
  return {file.bytes().begin(), file.bytes().end()};
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* const first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::string said_of(std::string_view file) {
  const std::vector<std::byte> bytes = bytes_of(file);
  EXPECT_FALSE(decode_image(bytes));
  return why_not_decoded(bytes);
}

std::string text_of(const char* name) {
  const std::vector<std::byte> bytes = read(name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(PictureKind, AnotherKindOfAFormatIsNotCalledDamaged) {
  std::string png = text_of("colours.png");
  png.replace(16, 8, std::string_view("\0\1\0\0\0\1\0\0", 8));  // 65536x65536
  EXPECT_PRED2(testing::contains, said_of(png),
               "65536x65536 pixels are too many; at most 67108864");
  std::string jpeg = text_of("colours.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg[frame + 1] = '\xc9';
  EXPECT_PRED2(testing::contains, said_of(jpeg), "arithmetic-coded JPEG is not read");
  jpeg[frame + 1] = '\xc1';
  jpeg[frame + 4] = 12;
  EXPECT_PRED2(testing::contains, said_of(jpeg), "JPEG with 12 bits per value is not read");
  std::string bmp = text_of("colours.bmp");
  bmp[30] = 1;
  EXPECT_PRED2(testing::contains, said_of(bmp), "BMP with run-length encoding is not read");
  EXPECT_PRED2(testing::contains, said_of("P1\n1 1\n1\n"), "PNM of type P1 is not read");
  EXPECT_EQ(said_of(""), "an empty file");
  std::string tiff = text_of("colours.tif");
  const size_t tag = tiff.find(std::string_view("\x03\x01\x03\x00\x01\x00\x00\x00", 8));
  ASSERT_NE(tag, std::string::npos);
  tiff[tag + 8] = '\x39';
  tiff[tag + 9] = '\x30';
  EXPECT_PRED2(testing::contains, said_of(tiff), "TIFF with compression 12345 is not read");
  EXPECT_PRED2(testing::contains, said_of(text_of("colours.png").substr(0, 900)),
               "a damaged or truncated PNG");
}

TEST(PictureKind, WhatIsLeftOutOfAPictureIsSaid) {
  EXPECT_EQ(decode_image(read("alpha.png"))->left_out, "transparency");
  EXPECT_EQ(decode_image(read("alpha.tif"))->left_out, "transparency");
  EXPECT_EQ(decode_image(read("alpha.webp"))->left_out, "transparency");
  for (const char* name :
       {"colours.png", "colours.tif", "colours.webp", "colours.bmp", "grey.png"}) {
    EXPECT_EQ(decode_image(read(name))->left_out, "") << name;
  }
  // A second page: the first page's directory once more, behind the file.
  std::string pages = text_of("colours.tif");
  const auto number = [&](size_t at, int bytes) {
    size_t value = 0;
    for (int i = bytes; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(pages[at + static_cast<size_t>(i)]);
    }
    return value;
  };
  const size_t first = number(4, 4);
  const size_t length = 2 + 12 * number(first, 2);
  pages.resize(pages.size() + pages.size() % 2);
  const size_t second = pages.size();
  pages += pages.substr(first, length) + std::string(4, '\0');
  for (size_t i = 0; i < 4; ++i) {
    pages[first + length + i] = static_cast<char>(second >> (8 * i) & 0xff);
  }
  const auto decoded = decode_image(bytes_of(pages));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->left_out, "pages after the first");
  // An animation's control chunk before the picture.
  std::string png = text_of("colours.png");
  png.insert(33, std::string_view("\0\0\0\0acTL\0\0\0\0", 12));
  EXPECT_EQ(decode_image(bytes_of(png))->left_out, "frames after the first");
}

TEST(PictureKind, FormatsThatAreNotReadAreNamed) {
  for (const auto& [start, name] : {std::pair{"DDS |\0\0\0"sv, "DDS"},
                                    {"\x01\xda\x01\x01"sv, "SGI"},
                                    {"\x0a\x05\x01\x08"sv, "PCX"},
                                    {"%!PS-Adobe-3.0 EPSF-3.0"sv, "EPS"},
                                    {"icns\0\0\1\0"sv, "ICNS"},
                                    {"PF\n8 8\n-1.0\n"sv, "PFM"}}) {
    EXPECT_PRED2(testing::contains, said_of(start), concat(name, " is not read; save PNG"));
    EXPECT_TRUE(is_picture_name(lower(concat("a/b.", name)))) << name;
  }
  EXPECT_FALSE(is_picture_name("a.txt"));
}

TEST(PictureKind, PicturesUnderOtherNamesAreKnownByTheirFirstBytes) {
  for (const auto& [name, format] : {std::pair{"colours.png", "PNG"},
                                     {"colours.jpg", "JPEG"},
                                     {"colours.bmp", "BMP"},
                                     {"colours.ppm", "PNM"},
                                     {"colours.tif", "TIFF"},
                                     {"colours.webp", "WebP"},
                                     {"small.gif", "GIF"},
                                     {"small.avif", "AVIF"}}) {
    EXPECT_EQ(certain_picture_format(text_of(name).substr(0, kPictureStart)).name, format);
  }
  EXPECT_EQ(certain_picture_format("<?xml version=\"1.0\"?>\n<svg width=\"1\">").name, "SVG");
  EXPECT_EQ(certain_picture_format(std::string_view("\0\0\1\0\2\0\x10\x10", 8)).name, "ICO");
  for (const std::string_view text :
       {"BMW sells cars"sv, "P5 is a road"sv, "P3 is none"sv, "\x01\xda"sv, "\x0a\x05\x01"sv,
        "icns"sv, "\xff\xd8 no"sv, "\xff\x0a"sv, "a caption"sv, ""sv, "{\"a\": 1}"sv,
        "\0\0\1\0\0\0\0\0"sv, "<?xml?><html/>"sv}) {
    EXPECT_EQ(certain_picture_format(text).name, "") << text;
  }
}

}  // namespace
}  // namespace lazymar
