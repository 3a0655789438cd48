#include "formats/image.h"

#include <algorithm>
#include <array>
#include <climits>
#include <memory>
#include <string_view>
#include <utility>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "core/error.h"
#include "files/byte_reader.h"
#include "formats/picture_kind.h"
#include "formats/png.h"
#include "formats/pnm.h"
#include "formats/tiff.h"
#include "formats/webp.h"

namespace lazymar {
namespace {

constexpr int kChannels = 3;
// JPEG's markers; none of them can occur within a scan.
constexpr std::string_view kJpegStart = "\xff\xd8";
constexpr std::string_view kJpegScan = "\xff\xda";
constexpr std::string_view kJpegEnd = "\xff\xd9";

struct Decoded {
  DecodedImage image;
  int channels = 0;  ///< in the file
};

/// A JPEG whose last scan does not end: stb_image would fill the rest with grey.
bool is_torn_jpeg(std::string_view file) {
  const size_t scan = file.rfind(kJpegScan);
  return file.starts_with(kJpegStart) &&
         (scan == std::string_view::npos || file.find(kJpegEnd, scan) == std::string_view::npos);
}

/// Checks a JPEG's Huffman tables (ITU-T T.81, B.2) before stb_image reads them. Version 2.27
/// writes past its table if a file claims more than 256 codes, and reads past it if a scan uses an
/// undefined table.
class JpegTables {
 public:
  /// Walks the markers and skips the data of the scans; false if a table or a scan is invalid.
  bool sound(std::string_view file) {
    const auto at = [file](size_t i) { return static_cast<unsigned char>(file[i]); };
    for (size_t i = 0; i + 4 <= file.size();) {
      const unsigned char marker = at(i + 1);
      const bool alone = marker >= 0xd0 && marker <= 0xd9;  // RST0 to RST7, SOI, EOI
      if (at(i) != 0xff || marker == 0 || marker == 0xff || alone) {
        ++i;  // data of a scan, or a fill byte
        continue;
      }
      const size_t length = std::max<size_t>(at(i + 2) * size_t{256} + at(i + 3), 2);
      const std::string_view segment = file.substr(i + 4, length - 2);
      progressive_ = progressive_ || marker == 0xc2;
      if ((marker == 0xc4 && !take_tables(segment)) || (marker == 0xda && !has_tables(segment))) {
        return false;
      }
      i += 2 + length;
    }
    return true;
  }

 private:
  bool take_tables(std::string_view segment) {
    constexpr size_t kCounts = 16;
    constexpr size_t kMostCodes = 256;
    while (!segment.empty()) {
      if (segment.size() <= kCounts) {
        return false;
      }
      size_t codes = 0;
      for (const char count : segment.substr(1, kCounts)) {
        codes += static_cast<unsigned char>(count);
      }
      if (codes > kMostCodes || 1 + kCounts + codes > segment.size()) {
        return false;
      }
      given_[static_cast<unsigned char>(segment[0])] = true;
      segment.remove_prefix(1 + kCounts + codes);
    }
    return true;
  }

  /// A scan: count, (component, tables) of each, first and last coefficient, bits.
  bool has_tables(std::string_view segment) const {
    const size_t components = segment.empty() ? 0 : static_cast<unsigned char>(segment[0]);
    if (segment.size() < 1 + 2 * components + 3) {
      return false;
    }
    const bool uses_dc = !progressive_ || segment[1 + 2 * components] == 0;
    const bool uses_ac = !progressive_ || segment[2 + 2 * components] != 0;
    for (size_t i = 0; i < components; ++i) {
      const auto tables = static_cast<unsigned char>(segment[2 + 2 * i]);
      if ((uses_dc && !given_[tables >> 4]) || (uses_ac && !given_[0x10 | (tables & 15)])) {
        return false;
      }
    }
    return true;
  }

  std::array<bool, 256> given_{};  ///< by class (0x10: AC) and number
  bool progressive_ = false;
};

/// Pixels of 4 channels without the last; `left_out` says if one of them was transparent.
std::vector<uint8_t> without_alpha(std::span<const uint8_t> pixels, std::string& left_out) {
  constexpr uint8_t kOpaque = 255;
  std::vector<uint8_t> colours;
  colours.reserve(pixels.size() / 4 * kChannels);
  for (size_t i = 0; i < pixels.size(); i += 4) {
    colours.insert(colours.end(), {pixels[i], pixels[i + 1], pixels[i + 2]});
    if (pixels[i + 3] != kOpaque) {
      left_out = kTransparency;
    }
  }
  return colours;
}

/// False for what stb_image must not even look at: it builds a JPEG's tables to find its size, and
/// takes a JPEG behind filling bytes, whose tables nothing has checked.
bool header_is_safe(PictureKind kind, std::string_view file) {
  const bool known = kind != PictureKind::kUnknown && kind != PictureKind::kOther;
  return known && (kind != PictureKind::kJpeg || JpegTables().sound(file));
}

std::optional<Decoded> decode(std::span<const std::byte> bytes) {
  const std::string_view file = as_text(bytes);
  if (bytes.size() > INT_MAX || (file.starts_with(kPngSignature) && !is_whole_png(file))) {
    return std::nullopt;
  }
  const auto* const data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const auto size = static_cast<int>(bytes.size());
  int width = 0;
  int height = 0;
  int channels = 0;
  // stb_image allocates what a header claims before it looks for the pixels.
  if (stbi_info_from_memory(data, size, &width, &height, &channels) == 0 ||
      int64_t{width} * height > kMostPixels) {
    return std::nullopt;
  }
  // Of a PNG with alpha, alpha too: whether anything shows through. A BMP's is often filler.
  const bool alpha = file.starts_with(kPngSignature) && channels % 2 == 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(data, size, &width, &height, &channels, alpha ? 4 : kChannels),
      &stbi_image_free);
  if (!pixels) {
    return std::nullopt;
  }
  const auto count = static_cast<size_t>(width) * static_cast<size_t>(height);
  Decoded decoded{{width, height, {}}, channels};
  decoded.image.pixels = alpha ? without_alpha({pixels.get(), 4 * count}, decoded.image.left_out)
                               : std::vector(pixels.get(), pixels.get() + kChannels * count);
  if (file.starts_with(kPngSignature) && is_animated_png(file)) {
    add_left_out(decoded.image, kLaterFrames);
  }
  return decoded;
}

}  // namespace

std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  const PictureKind kind = picture_format(text).kind;
  if (kind == PictureKind::kWebp) {
    return decode_webp(bytes);
  }
  if (kind == PictureKind::kTiff) {
    return decode_tiff(bytes);
  }
  if (is_text_pnm(text)) {
    return decode_text_pnm(text);
  }
  if (!header_is_safe(kind, text) || (kind == PictureKind::kJpeg && is_torn_jpeg(text)) ||
      (kind == PictureKind::kBmp && !is_whole_bmp(text)) ||
      (kind == PictureKind::kPnm && !is_whole_pnm(text))) {
    return std::nullopt;
  }
  std::optional<Decoded> decoded = decode(bytes);
  return decoded ? std::optional(std::move(decoded->image)) : std::nullopt;
}

std::optional<std::pair<int64_t, int64_t>> picture_size(std::span<const std::byte> bytes) {
  const PictureKind kind = picture_format(as_text(bytes)).kind;
  if (kind == PictureKind::kWebp) {
    return webp_size(bytes);
  }
  if (kind == PictureKind::kTiff) {
    return tiff_size(bytes);
  }
  if (kind == PictureKind::kPng) {
    return png_size(as_text(bytes));  // stb_image does not tell what it finds too large
  }
  if (kind == PictureKind::kPnm) {
    const auto header = pnm_header(as_text(bytes));  // stb_image's numbers overflow
    return header ? std::optional(std::pair<int64_t, int64_t>(header->width, header->height))
                  : std::nullopt;
  }
  if (!header_is_safe(kind, as_text(bytes))) {
    return std::nullopt;
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const auto* const data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const auto size = static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX));
  if (stbi_info_from_memory(data, size, &width, &height, &channels) == 0) {
    return std::nullopt;
  }
  return std::pair<int64_t, int64_t>(width, height);
}

std::optional<DecodedImage> decode_png(std::span<const std::byte> png) {
  std::optional<Decoded> decoded;
  if (as_text(png).starts_with(kPngSignature)) {
    decoded = decode(png);
  }
  if (!decoded || decoded->channels != kChannels) {
    return std::nullopt;
  }
  return std::move(decoded->image);
}

}  // namespace lazymar
