#include "formats/picture_kind.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "core/text.h"
#include "formats/png.h"
#include "formats/pnm.h"

namespace lazymar {
namespace {

struct Signature {
  size_t place;
  std::string_view bytes;
  PictureFormat format;
};

using namespace std::string_view_literals;

constexpr Signature kSignatures[] = {
    {0, "\xff\xd8"sv, {PictureKind::kJpeg, "JPEG"}},
    {0, "BM"sv, {PictureKind::kBmp, "BMP"}},
    {0, "P2"sv, {PictureKind::kPnm, "PNM"}},
    {0, "P3"sv, {PictureKind::kPnm, "PNM"}},
    {0, "P5"sv, {PictureKind::kPnm, "PNM"}},
    {0, "P6"sv, {PictureKind::kPnm, "PNM"}},
    {0, "P1\n"sv, {PictureKind::kOther, "PNM of type P1"}},
    {0, "P4\n"sv, {PictureKind::kOther, "PNM of type P4"}},
    {0, "P7\n"sv, {PictureKind::kOther, "PAM"}},
    {0, "II*\0"sv, {PictureKind::kTiff, "TIFF"}},
    {0, "MM\0*"sv, {PictureKind::kTiff, "TIFF"}},
    {0, "II+\0"sv, {PictureKind::kTiff, "TIFF"}},
    {0, "MM\0+"sv, {PictureKind::kTiff, "TIFF"}},
    {8, "WEBP"sv, {PictureKind::kWebp, "WebP"}},
    {0, "GIF8"sv, {PictureKind::kOther, "GIF"}},
    {4, "ftypavif"sv, {PictureKind::kOther, "AVIF"}},
    {4, "ftypavis"sv, {PictureKind::kOther, "AVIF"}},
    {4, "ftyphei"sv, {PictureKind::kOther, "HEIF"}},
    {4, "ftypmif1"sv, {PictureKind::kOther, "HEIF"}},
    {0, "\xff\x0a"sv, {PictureKind::kOther, "JPEG XL"}},
    {4, "JXL \r\n\x87\n"sv, {PictureKind::kOther, "JPEG XL"}},
    {4, "jP  "sv, {PictureKind::kOther, "JPEG 2000"}},
    {0, "\xff\x4f\xff\x51"sv, {PictureKind::kOther, "JPEG 2000"}},
    {0, "8BPS"sv, {PictureKind::kOther, "PSD"}},
    {0, "v/1\x01"sv, {PictureKind::kOther, "OpenEXR"}},
    {0, "#?RADIANCE"sv, {PictureKind::kOther, "Radiance HDR"}},
    {0, "qoif"sv, {PictureKind::kOther, "QOI"}},
    {0, "<svg"sv, {PictureKind::kOther, "SVG"}},
    {0, "\0\0\1\0"sv, {PictureKind::kOther, "ICO"}},
    {0, "DDS "sv, {PictureKind::kOther, "DDS"}},
    {0, "icns"sv, {PictureKind::kOther, "ICNS"}},
    {0, "%!PS-Adobe-3.0 EPSF"sv, {PictureKind::kOther, "EPS"}},
    {0, "\xc5\xd0\xd3\xc6"sv, {PictureKind::kOther, "EPS"}},
    {0, "PF\n"sv, {PictureKind::kOther, "PFM"}},
    {0, "Pf\n"sv, {PictureKind::kOther, "PFM"}},
    {0, "\x01\xda"sv, {PictureKind::kOther, "SGI"}},
    {0, "\x0a\x05\x01"sv, {PictureKind::kOther, "PCX"}},
    {0, "/* XPM */"sv, {PictureKind::kOther, "XPM"}},
    {0, "gimp xcf "sv, {PictureKind::kOther, "XCF"}},
};

constexpr std::string_view kExtensions[] = {
    ".png", ".jpg",  ".jpeg", ".jpe", ".jfif", ".bmp",  ".ppm",  ".pgm", ".pnm", ".pbm",
    ".tif", ".tiff", ".webp", ".gif", ".avif", ".heic", ".heif", ".jxl", ".jp2", ".j2k",
    ".psd", ".exr",  ".hdr",  ".tga", ".qoi",  ".ico",  ".svg",  ".dib", ".pam", ".apng",
    ".dds", ".sgi",  ".pcx",  ".eps", ".icns", ".pfm",  ".ras",  ".xpm", ".xbm", ".cur",
    ".xcf", ".dng",  ".cr2",  ".nef", ".arw",  ".jpx",  ".j2c"};

/// A little-endian number; 0 beyond the end.
template <typename T>
T number_at(std::string_view file, size_t place) {
  T value = 0;
  if (place + sizeof value <= file.size()) {
    std::memcpy(&value, file.data() + place, sizeof value);
  }
  return value;
}

/// An SVG behind an XML declaration and comments.
bool is_svg(std::string_view file) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  file.remove_prefix(file.starts_with(kMark) ? kMark.size() : 0);
  return (file.starts_with("<?xml") || file.starts_with("<!")) &&
         file.substr(0, kPictureStart).find("<svg") != std::string_view::npos;
}

}  // namespace

PictureFormat picture_format(std::string_view file) {
  if (file.starts_with(kPngSignature)) {
    return {PictureKind::kPng, "PNG"};
  }
  for (const Signature& signature : kSignatures) {
    if (file.size() >= signature.place &&
        file.substr(signature.place).starts_with(signature.bytes)) {
      return signature.format;
    }
  }
  return is_svg(file) ? PictureFormat{PictureKind::kOther, "SVG"} : PictureFormat();
}

PictureFormat certain_picture_format(std::string_view start) {
  if (start.starts_with("BM")) {
    // Reserved bytes, and the size of the header that follows.
    constexpr uint32_t kHeaders[] = {12, 40, 52, 56, 64, 108, 124};
    const uint32_t header = number_at<uint32_t>(start, 14);
    const bool known =
        std::find(std::begin(kHeaders), std::end(kHeaders), header) != std::end(kHeaders);
    return known && number_at<uint32_t>(start, 6) == 0 ? picture_format(start) : PictureFormat();
  }
  if (picture_format(start).kind == PictureKind::kPnm) {
    return pnm_header(start) ? picture_format(start) : PictureFormat();
  }
  const PictureFormat format = picture_format(start);
  if (format.name == "ICO") {  // as many pictures as bytes 4 and 5 say; few
    return number_at<uint16_t>(start, 4) - 1U < 255U ? format : PictureFormat();
  }
  const bool by_chance = start.starts_with("\xff\x0a") || format.name == "SGI" ||
                         format.name == "PCX" || start.starts_with("icns") ||
                         (format.kind == PictureKind::kJpeg && !start.starts_with("\xff\xd8\xff"));
  return by_chance ? PictureFormat() : format;
}

bool is_picture_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.find('/', dot) != std::string_view::npos) {
    return false;
  }
  const std::string extension = lower(std::string(name.substr(dot)));
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) !=
         std::end(kExtensions);
}

namespace {

/// A big-endian number of a PNG.
uint32_t png_number(std::string_view file, size_t at) {
  const auto byte = [file](size_t i) { return uint32_t{static_cast<unsigned char>(file[i])}; };
  return byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
}

/// Where a PNG's chunk of that type begins, if all chunks up to it lie in the file.
std::optional<size_t> find_chunk(std::string_view file, std::string_view type) {
  constexpr size_t kAround = 12;  // length, type and CRC of a chunk
  for (size_t at = kPngSignature.size(); at + kAround <= file.size();) {
    const size_t length = png_number(file, at);
    if (length > file.size() - at - kAround) {
      return std::nullopt;
    }
    if (file.substr(at + 4, type.size()) == type) {
      return at;
    }
    at += kAround + length;
  }
  return std::nullopt;
}

}  // namespace

bool is_whole_png(std::string_view file) {
  return find_chunk(file, "IEND").has_value();
}

std::optional<std::pair<int64_t, int64_t>> png_size(std::string_view file) {
  constexpr size_t kWidthAt = 16, kHeightAt = 20, kHeaderEnd = 29;
  const auto header = find_chunk(file, "IHDR");
  return header == kPngSignature.size() && file.size() >= kHeaderEnd
             ? std::optional(std::pair<int64_t, int64_t>(png_number(file, kWidthAt),
                                                         png_number(file, kHeightAt)))
             : std::nullopt;
}

bool is_animated_png(std::string_view file) {
  const auto control = find_chunk(file, "acTL");
  const auto pixels = find_chunk(file, "IDAT");
  return control && pixels && *control < *pixels;
}

bool is_whole_bmp(std::string_view file) {
  // Headers (Microsoft's BITMAPFILEHEADER, BITMAPINFOHEADER and BITMAPCOREHEADER).
  const uint64_t pixels_at = number_at<uint32_t>(file, 10);
  const bool core = number_at<uint32_t>(file, 14) == 12;
  const uint64_t width = core ? number_at<uint16_t>(file, 18) : number_at<uint32_t>(file, 18);
  const int64_t height = core ? number_at<uint16_t>(file, 20) : number_at<int32_t>(file, 22);
  const uint64_t bits = number_at<uint16_t>(file, core ? 24 : 28);
  const uint64_t line = (width * bits + 31) / 32 * 4;
  const auto lines = static_cast<uint64_t>(height < 0 ? -height : height);
  return line > 0 && lines > 0 && pixels_at <= file.size() &&
         lines <= (file.size() - pixels_at) / line;
}

}  // namespace lazymar
