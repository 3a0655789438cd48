#pragma once
/// WebP pictures, by libwebp if this build has it.

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "formats/image.h"

namespace lazymar {

/// Whether this build can read WebP.
bool has_webp();

/// RGB of a still WebP; alpha is dropped. Empty if it is none, is damaged or animated, or has more
/// than kMostPixels pixels.
std::optional<DecodedImage> decode_webp(std::span<const std::byte> bytes);

/// Width and height by its header; empty if it has none.
std::optional<std::pair<int64_t, int64_t>> webp_size(std::span<const std::byte> bytes);
bool is_animated_webp(std::span<const std::byte> bytes);

}  // namespace lazymar
