// Why a picture cannot be read: why_not_decoded() of image.h.

#include <climits>
#include <cstring>

#include "core/error.h"
#include "files/byte_reader.h"
#include "formats/foreign_file.h"
#include "formats/image.h"
#include "formats/picture_kind.h"
#include "formats/pnm.h"
#include "formats/tiff.h"
#include "formats/webp.h"

namespace lazymar {
namespace {

/// Kinds of JPEG by the marker of their frame (ITU-T T.81, table B.1): stb_image reads the first
/// three, with 8 bits.
std::string unread_jpeg(std::string_view file) {
  constexpr unsigned char kFirstFrame = 0xc0, kProgressive = 0xc2, kLastFrame = 0xcf;
  constexpr std::string_view kNoFrames = "\xc4\xc8\xcc";  // tables, reserved, conditioning
  const auto at = [file](size_t i) { return static_cast<unsigned char>(file[i]); };
  for (size_t i = 2; i + 5 <= file.size() && at(i) == 0xff;) {
    const unsigned char marker = at(i + 1);
    if (marker >= kFirstFrame && marker <= kLastFrame &&
        kNoFrames.find(file[i + 1]) == std::string_view::npos) {
      return marker > kProgressive ? "lossless, hierarchical or arithmetic-coded JPEG"
             : at(i + 4) != 8      ? concat("JPEG with ", int{at(i + 4)}, " bits per value")
                                   : "";
    }
    i += marker == 0xff ? 1 : 2 + at(i + 2) * size_t{256} + at(i + 3);
  }
  return "";
}

/// The compression in a BMP's header (Microsoft's BITMAPINFOHEADER).
std::string unread_bmp(std::string_view file) {
  constexpr size_t kCompressionAt = 30, kHeaderSizeAt = 14;
  if (file.size() < kCompressionAt + 4 || file[kHeaderSizeAt] == 12) {
    return "";
  }
  const char compression = file[kCompressionAt];
  return compression == 1 || compression == 2   ? "BMP with run-length encoding"
         : compression == 4 || compression == 5 ? "BMP with a JPEG or PNG inside"
                                                : "";
}

/// "PNM with values up to 65535"; empty if it is of a kind that is read.
std::string unread_pnm(std::string_view file) {
  const auto header = pnm_header(file);
  return header && header->most != kPnmMost ? concat("PNM with values up to ", header->most) : "";
}

/// What of the format is not read, by name; empty if nothing is known.
std::string unread_kind(std::span<const std::byte> bytes, const PictureFormat& format) {
  const std::string_view text = as_text(bytes);
  switch (format.kind) {
    case PictureKind::kJpeg:
      return unread_jpeg(text);
    case PictureKind::kBmp:
      return unread_bmp(text);
    case PictureKind::kPnm:
      return unread_pnm(text);
    case PictureKind::kTiff:
      return unread_tiff(bytes);
    case PictureKind::kWebp:
      return is_animated_webp(bytes) ? "an animated WebP" : "";
    case PictureKind::kOther:
      return std::string(format.name);
    default:
      return "";
  }
}

}  // namespace

std::string why_not_decoded(std::span<const std::byte> bytes) {
  constexpr const char* kRead = "PNG, JPEG, BMP, PPM, TIFF and WebP are read";
  if (bytes.empty()) {
    return "an empty file";
  }
  if (std::string other = foreign_file(bytes); !other.empty()) {
    return other;
  }
  const PictureFormat format = picture_format(as_text(bytes));
  const bool webp = format.kind == PictureKind::kWebp;
  if ((webp && !has_webp()) || (format.kind == PictureKind::kTiff && !has_tiff())) {
    return concat(format.name, " is not read, because this build is without ",
                  webp ? "libwebp" : "libtiff", "; install it and build again, or save PNG");
  }
  if (const std::string kind = unread_kind(bytes, format); !kind.empty()) {
    return concat(kind, " is not read; save PNG (", kRead, ")");
  }
  const auto size = picture_size(bytes);
  if (size && size->second > 0 && size->first > kMostPixels / size->second) {
    return concat(size->first, "x", size->second, " pixels are too many; at most ", kMostPixels,
                  " are read: make the picture smaller");
  }
  if (bytes.size() > INT_MAX) {
    return concat("a file of ", bytes.size(), " bytes; at most ", INT_MAX, " are read");
  }
  return format.name.empty()
             ? concat("cannot be decoded: not a picture of a known format (", kRead, ")")
             : concat("cannot be decoded: a damaged or truncated ", format.name, " file");
}

}  // namespace lazymar
