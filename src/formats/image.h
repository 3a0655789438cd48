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

/// A PNG or JPEG of any kind, by stb_image: grey becomes three equal channels, alpha is dropped, of
/// 16 bits the upper 8 stay (as PIL's convert("RGB") has it, but for JPEG's last bit: decoders
/// differ in rounding). Nothing where it is none, is cut off, or is larger than 2^26 pixels.
std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes);

/// The same, of 8-bit RGB PNGs alone.
std::optional<DecodedImage> decode_png(std::span<const std::byte> png);

}  // namespace lazymar
