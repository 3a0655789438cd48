#pragma once
/// TIFF pictures, by libtiff if this build has it.

#include <cstddef>
#include <optional>
#include <span>

#include "formats/image.h"

namespace lazymar {

/// Whether this build can read TIFF.
bool has_tiff();

/// RGB of a TIFF's first page: grey becomes three equal channels, and alpha is dropped. Empty if it
/// is none, is damaged, or has more than kMostPixels pixels.
std::optional<DecodedImage> decode_tiff(std::span<const std::byte> bytes);

}  // namespace lazymar
