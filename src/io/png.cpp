#include "lazymar/io/png.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "lazymar/core/error.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image_write.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace lazymar {
namespace {

constexpr int kChannels = 3;

}  // namespace

std::vector<std::byte> encode_png(std::span<const uint8_t> pixels, int64_t width, int64_t height) {
  const auto row_bytes = static_cast<int>(width * kChannels);
  int length = 0;
  const std::unique_ptr<unsigned char, decltype(&std::free)> encoded(
      stbi_write_png_to_mem(pixels.data(), row_bytes, static_cast<int>(width),
                            static_cast<int>(height), kChannels, &length),
      &std::free);
  if (!encoded) {
    throw Error(ExitCode::kInternal, concat("PNG encoder gave up on ", width, "x", height));
  }
  const auto bytes = std::as_bytes(std::span(encoded.get(), static_cast<size_t>(length)));
  return {bytes.begin(), bytes.end()};
}

std::vector<uint8_t> tile_images(std::span<const std::vector<uint8_t>> tiles, int64_t width,
                                 int64_t height, int64_t columns, int64_t rows) {
  constexpr uint8_t kWhite = 255;
  const int64_t tile_stride = width * kChannels;
  const int64_t stride = tile_stride * columns;
  std::vector<uint8_t> sheet(static_cast<size_t>(stride * height * rows), kWhite);
  const auto count = std::min<int64_t>(static_cast<int64_t>(tiles.size()), columns * rows);
  for (int64_t tile = 0; tile < count; ++tile) {
    const int64_t origin = (tile / columns) * height * stride + (tile % columns) * tile_stride;
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(tiles[tile].begin() + y * tile_stride, tile_stride,
                  sheet.begin() + origin + y * stride);
    }
  }
  return sheet;
}

}  // namespace lazymar
