#pragma once
/// Encoded pictures to 8-bit RGB pixels.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lazymar {

struct DecodedImage {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> pixels;  ///< [height, width, 3]
};

/// A PNG or JPEG of any kind, by stb_image: grey becomes three equal channels, alpha is dropped,
/// and the upper 8 of 16 bits are kept. This matches PIL's convert("RGB") up to the last bit of
/// JPEG, where decoders round differently. Empty if the file is not such an image, is truncated, or
/// has more than 2^26 pixels.
std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes);

/// The same, only for 8-bit RGB PNGs.
std::optional<DecodedImage> decode_png(std::span<const std::byte> png);

}  // namespace lazymar
