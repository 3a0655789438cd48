#pragma once
/// TIFF pictures, by libtiff if this build has it.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "formats/image.h"

namespace lazymar {

/// Whether this build can read TIFF.
bool has_tiff();

/// RGB of a TIFF's first page: grey becomes three equal channels, and alpha is dropped. Empty if it
/// is none, is damaged, or has more than kMostPixels pixels.
std::optional<DecodedImage> decode_tiff(std::span<const std::byte> bytes);

/// Width and height by its header; empty if it has none.
std::optional<std::pair<int64_t, int64_t>> tiff_size(std::span<const std::byte> bytes);
/// The kind of TIFF that libtiff cannot read, in words; empty if it is not that.
std::string unread_tiff(std::span<const std::byte> bytes);

}  // namespace lazymar
