#pragma once
/// Which format a picture has, by its first bytes.

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace lazymar {

/// Formats that are read, and those that are only known by name.
enum class PictureKind { kPng, kJpeg, kBmp, kPnm, kTiff, kWebp, kOther, kUnknown };

struct PictureFormat {
  PictureKind kind = PictureKind::kUnknown;
  std::string_view name;  ///< "PNG", "AVIF"; empty if unknown
};

PictureFormat picture_format(std::string_view file);

/// How much of a file tells its format.
inline constexpr size_t kPictureStart = 512;

/// The format of a file whose name is not that of a picture, by its first kPictureStart bytes.
/// Short signatures, which other files have by chance, do not count alone.
PictureFormat certain_picture_format(std::string_view start);

/// Whether a file of that name looks like a picture, by its extension (".png", ".HEIC"); readable
/// or not, so that nobody takes a set for complete that is not.
bool is_picture_name(std::string_view name);

/// Whether the chunks of a PNG up to IEND lie in the file; stb_image allocates twice what a chunk
/// claims, up to 2 GiB, before it looks for its data.
bool is_whole_png(std::string_view file);

/// Width and height by a PNG's header; empty if it has none.
std::optional<std::pair<int64_t, int64_t>> png_size(std::string_view file);

/// Whether a PNG has frames besides its picture (APNG).
bool is_animated_png(std::string_view file);

/// The header of a binary PNM (P5 or P6).
struct PnmHeader {
  uint64_t width = 0, height = 0;
  uint64_t most = 0;    ///< the value of white
  uint64_t pixels = 0;  ///< where they begin
};
/// Empty if it is no such header.
std::optional<PnmHeader> pnm_header(std::string_view file);

/// The one value of white that is read. stb_image 2.27 does not scale by others, and reads out of
/// bounds if a value needs 16 bits.
inline constexpr uint64_t kPnmMost = 255;

/// Whether a BMP, or a binary PNM whose white is kPnmMost, has all the bytes that its header asks
/// for; stb_image would fill in what is missing.
bool is_whole_bmp(std::string_view file);
bool is_whole_pnm(std::string_view file);

}  // namespace lazymar
