#pragma once
/// Encodes 8-bit RGB images as PNG, in memory; formats/image.h decodes them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lazymar {

/// What every PNG begins with.
inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

/// Text metadata of an image, as tEXt chunks: keywords of 1 to 79 characters and their texts, both
/// of printable ASCII.
using PngText = std::vector<std::pair<std::string, std::string>>;

/// `pixels` is [height, width, 3], row by row. Throws Error (internal) if encoding fails.
std::vector<std::byte> encode_png(std::span<const uint8_t> pixels, int64_t width, int64_t height,
                                  const PngText& text = {});

/// The tEXt chunks before the pixels, up to the first damaged one.
PngText read_png_text(std::span<const std::byte> png);

/// How many bytes at each end looks_like_png() needs.
inline constexpr size_t kPngMargin = 12;

/// True if a file begins with PNG's signature and ends with its complete last chunk.
bool looks_like_png(std::span<const std::byte> head, std::span<const std::byte> tail);

/// One image of `columns` x `rows` tiles, [height * rows, width * columns, 3], from tiles [height,
/// width, 3] in row order; missing tiles are white.
std::vector<uint8_t> tile_images(std::span<const std::vector<uint8_t>> tiles, int64_t width,
                                 int64_t height, int64_t columns, int64_t rows);

}  // namespace lazymar
