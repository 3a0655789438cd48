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

/// Whether a BMP has all the bytes that its header asks for; stb_image would fill in what is
/// missing.
bool is_whole_bmp(std::string_view file);

}  // namespace lazymar
