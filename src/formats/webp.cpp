#include "formats/webp.h"

#ifdef LAZYMAR_HAS_WEBP
#include <webp/decode.h>
#endif

namespace lazymar {

#ifdef LAZYMAR_HAS_WEBP

bool has_webp() {
  return true;
}

std::optional<DecodedImage> decode_webp(std::span<const std::byte> bytes) {
  constexpr int kChannels = 3;
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK ||
      features.has_animation != 0 || int64_t{features.width} * features.height > kMostPixels) {
    return std::nullopt;
  }
  DecodedImage image{features.width, features.height, {}};
  image.pixels.resize(static_cast<size_t>(image.width * image.height * kChannels));
  if (WebPDecodeRGBInto(data, bytes.size(), image.pixels.data(), image.pixels.size(),
                        features.width * kChannels) == nullptr) {
    return std::nullopt;
  }
  return image;
}

#else

bool has_webp() {
  return false;
}

std::optional<DecodedImage> decode_webp(std::span<const std::byte> /*bytes*/) {
  return std::nullopt;
}

#endif

}  // namespace lazymar
