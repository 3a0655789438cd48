#include "formats/png.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/error.h"
#include "files/byte_reader.h"

namespace {

/// zlib's best trade of time against size for pictures; part of what makes PNGs byte-identical.
constexpr int kCompressionLevel = 6;

/// The compressor that stb_image_write calls: libdeflate is four times as fast and a third smaller.
/// Returns malloc'ed memory, or null.
unsigned char* compress_with_libdeflate(unsigned char* data, int length, int* compressed_length,
                                        int /*quality*/) {
  using Compressor = std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>;
  thread_local const Compressor compressor(libdeflate_alloc_compressor(kCompressionLevel),
                                           &libdeflate_free_compressor);
  if (!compressor) {
    return nullptr;
  }
  const auto size = static_cast<size_t>(length);
  const size_t bound = libdeflate_zlib_compress_bound(compressor.get(), size);
  auto* const out = static_cast<unsigned char*>(std::malloc(bound));
  if (out != nullptr) {
    *compressed_length =
        static_cast<int>(libdeflate_zlib_compress(compressor.get(), data, size, out, bound));
  }
  return out;
}

}  // namespace

#define STBIW_ZLIB_COMPRESS compress_with_libdeflate
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
constexpr std::string_view kEnd("\0\0\0\0IEND\xae\x42\x60\x82", 12);  // with its CRC-32

// PNG, third edition: a chunk is its length, type, data and the CRC-32 of type and data. IHDR is
// always the first one, with 13 bytes of data.
constexpr size_t kLength = 4;
constexpr size_t kChunkFrame = 12;
constexpr size_t kHeaderEnd = kPngSignature.size() + kChunkFrame + 13;
constexpr std::string_view kText = "tEXt";

std::string big_endian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift);
  }
  return bytes;
}

uint32_t from_big_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes.substr(0, kLength)) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}

uint32_t crc(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

std::string text_chunk(const std::string& keyword, const std::string& text) {
  const std::string body = std::string(kText) + keyword + '\0' + text;
  return big_endian(static_cast<uint32_t>(body.size() - kText.size())) + body +
         big_endian(crc(body));
}

}  // namespace

std::vector<std::byte> encode_png(std::span<const uint8_t> pixels, int64_t width, int64_t height,
                                  const PngText& text) {
  const auto row_bytes = static_cast<int>(width * kChannels);
  int length = 0;
  const std::unique_ptr<unsigned char, decltype(&std::free)> encoded(
      stbi_write_png_to_mem(pixels.data(), row_bytes, static_cast<int>(width),
                            static_cast<int>(height), kChannels, &length),
      &std::free);
  if (!encoded) {
    throw Error(ErrorKind::kInternal, concat("PNG encoding failed for ", width, "x", height));
  }
  const auto bytes = std::as_bytes(std::span(encoded.get(), static_cast<size_t>(length)));
  std::string chunks;
  for (const auto& [keyword, said] : text) {
    chunks += text_chunk(keyword, said);
  }
  const auto added = std::as_bytes(std::span(chunks));
  std::vector<std::byte> png(bytes.begin(), bytes.begin() + kHeaderEnd);
  png.reserve(bytes.size() + added.size());
  png.insert(png.end(), added.begin(), added.end());
  png.insert(png.end(), bytes.begin() + kHeaderEnd, bytes.end());
  return png;
}

PngText read_png_text(std::span<const std::byte> png) {
  PngText text;
  std::string_view left = as_text(png);
  left.remove_prefix(std::min(left.size(), kHeaderEnd));
  while (left.size() >= kChunkFrame && left.substr(kLength, kText.size()) == kText) {
    const size_t length = from_big_endian(left);
    if (length > left.size() - kChunkFrame) {
      break;
    }
    const std::string_view body = left.substr(kLength, kText.size() + length);
    if (from_big_endian(left.substr(kLength + body.size())) != crc(body)) {
      break;
    }
    const std::string_view data = body.substr(kText.size());
    const size_t end = std::min(data.find('\0'), data.size());
    text.emplace_back(data.substr(0, end), data.substr(std::min(end + 1, data.size())));
    left.remove_prefix(length + kChunkFrame);
  }
  return text;
}

bool looks_like_png(std::span<const std::byte> head, std::span<const std::byte> tail) {
  return as_text(head).starts_with(kPngSignature) && as_text(tail).ends_with(kEnd);
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
