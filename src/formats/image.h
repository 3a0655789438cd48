#pragma once
/// Encoded pictures to 8-bit RGB pixels.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lazymar {

struct DecodedImage {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> pixels;  ///< [height, width, 3]
  /// What the file has besides, and the pixels do not: "transparency", "pages after the first";
  /// empty if nothing.
  std::string left_out = {};
};

inline constexpr const char* kTransparency = "transparency";
inline constexpr const char* kLaterFrames = "frames after the first";
inline constexpr const char* kLaterPages = "pages after the first";
/// Adds to left_out.
inline void add_left_out(DecodedImage& image, const std::string& what) {
  image.left_out += (image.left_out.empty() ? "" : " and ") + what;
}

/// The largest picture that is decoded.
inline constexpr int64_t kMostPixels = int64_t{1} << 26;

/// A PNG, JPEG, BMP or PPM or PGM by stb_image, a TIFF by libtiff, a WebP by libwebp; the
/// first bytes determine which. Grey becomes three equal channels, alpha is dropped (a transparent
/// one is said in left_out), and the upper 8 of 16 bits are kept. This matches PIL's convert("RGB")
/// up to the last bit of JPEG, where decoders round differently. Empty if the file is not such an
/// image, is truncated, or has more than kMostPixels pixels.
std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes);

/// Why decode_image() does not read these bytes, for people: a format or a kind of it that is not
/// read, by name, a library that this build lacks, too many pixels, or damage.
std::string why_not_decoded(std::span<const std::byte> bytes);

/// Width and height by the picture's header, however large; empty if it has no sound one.
std::optional<std::pair<int64_t, int64_t>> picture_size(std::span<const std::byte> bytes);

/// The same, only for 8-bit RGB PNGs.
std::optional<DecodedImage> decode_png(std::span<const std::byte> png);

}  // namespace lazymar
