#pragma once
/// Encoded pictures to 8-bit RGB pixels.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lazymar {

struct DecodedImage {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> pixels;  ///< [height, width, 3]
};

/// The largest picture that is decoded.
inline constexpr int64_t kMostPixels = int64_t{1} << 26;

/// A PNG, JPEG, BMP or binary PPM or PGM by stb_image, a TIFF by libtiff, a WebP by libwebp; the
/// first bytes determine which. Grey becomes three equal channels, alpha is dropped, and the upper
/// 8 of 16 bits are kept. This matches PIL's convert("RGB") up to the last bit of JPEG, where
/// decoders round differently. Empty if the file is not such an image, is truncated, or has more
/// than kMostPixels pixels.
std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes);

/// Why decode_image() does not read these bytes, for people: a format that is not read, by name, a
/// library that this build lacks, or damage.
std::string why_not_decoded(std::span<const std::byte> bytes);

/// The same, only for 8-bit RGB PNGs.
std::optional<DecodedImage> decode_png(std::span<const std::byte> png);

}  // namespace lazymar
