#include "lazymar/io/image.h"

#include <climits>
#include <memory>
#include <string_view>
#include <utility>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace lazymar {
namespace {

constexpr int kChannels = 3;
constexpr int64_t kMostPixels = int64_t{1} << 26;
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
// JPEG's markers; none of them can stand within a scan.
constexpr std::string_view kJpegStart = "\xff\xd8";
constexpr std::string_view kJpegScan = "\xff\xda";
constexpr std::string_view kJpegEnd = "\xff\xd9";

struct Decoded {
  DecodedImage image;
  int channels = 0;  ///< in the file
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A JPEG whose last scan does not end: stb_image would fill what is missing with grey.
bool is_torn_jpeg(std::string_view file) {
  const size_t scan = file.rfind(kJpegScan);
  return file.starts_with(kJpegStart) &&
         (scan == std::string_view::npos || file.find(kJpegEnd, scan) == std::string_view::npos);
}

std::optional<Decoded> decode(std::span<const std::byte> bytes) {
  if (bytes.size() > INT_MAX) {
    return std::nullopt;
  }
  const auto* const data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const auto size = static_cast<int>(bytes.size());
  int width = 0;
  int height = 0;
  int channels = 0;
  // What a header claims is allocated before its pixels are looked for.
  if (stbi_info_from_memory(data, size, &width, &height, &channels) == 0 ||
      int64_t{width} * height > kMostPixels) {
    return std::nullopt;
  }
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(data, size, &width, &height, &channels, kChannels), &stbi_image_free);
  if (!pixels) {
    return std::nullopt;
  }
  const auto count = static_cast<size_t>(width) * static_cast<size_t>(height) * kChannels;
  return Decoded{{width, height, {pixels.get(), pixels.get() + count}}, channels};
}

}  // namespace

std::optional<DecodedImage> decode_image(std::span<const std::byte> bytes) {
  if (is_torn_jpeg(text_of(bytes))) {
    return std::nullopt;
  }
  std::optional<Decoded> decoded = decode(bytes);
  return decoded ? std::optional(std::move(decoded->image)) : std::nullopt;
}

std::optional<DecodedImage> decode_png(std::span<const std::byte> png) {
  std::optional<Decoded> decoded;
  if (text_of(png).starts_with(kPngSignature)) {
    decoded = decode(png);
  }
  if (!decoded || decoded->channels != kChannels) {
    return std::nullopt;
  }
  return std::move(decoded->image);
}

}  // namespace lazymar
