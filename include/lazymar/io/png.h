#pragma once
/// 8-bit RGB images to PNG, in memory.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lazymar {

/// `pixels` is [height, width, 3], row by row. Throws Error (internal) if encoding fails.
std::vector<std::byte> encode_png(std::span<const uint8_t> pixels, int64_t width, int64_t height);

/// One picture of `columns` x `rows` tiles, [height * rows, width * columns, 3], out of tiles
/// [height, width, 3] laid row by row; places without a tile are white.
std::vector<uint8_t> tile_images(std::span<const std::vector<uint8_t>> tiles, int64_t width,
                                 int64_t height, int64_t columns, int64_t rows);

}  // namespace lazymar
