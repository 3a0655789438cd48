#include "formats/webp.h"

#ifdef LAZYMAR_HAS_WEBP
#include <webp/decode.h>
#endif

namespace lazymar {

#ifdef LAZYMAR_HAS_WEBP

bool has_webp() {
  return true;
}

namespace {

std::optional<WebPBitstreamFeatures> features_of(std::span<const std::byte> bytes) {
  WebPBitstreamFeatures features;
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  return WebPGetFeatures(data, bytes.size(), &features) == VP8_STATUS_OK ? std::optional(features)
                                                                         : std::nullopt;
}

}  // namespace

std::optional<std::pair<int64_t, int64_t>> webp_size(std::span<const std::byte> bytes) {
  const auto features = features_of(bytes);
  return features ? std::optional(std::pair<int64_t, int64_t>(features->width, features->height))
                  : std::nullopt;
}

bool is_animated_webp(std::span<const std::byte> bytes) {
  const auto features = features_of(bytes);
  return features && features->has_animation != 0;
}

std::optional<DecodedImage> decode_webp(std::span<const std::byte> bytes) {
  constexpr int kChannels = 3;
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto features = features_of(bytes);
  if (!features || features->has_animation != 0 ||
      int64_t{features->width} * features->height > kMostPixels) {
    return std::nullopt;
  }
  DecodedImage image{features->width, features->height, {}};
  image.pixels.resize(static_cast<size_t>(image.width * image.height * kChannels));
  if (WebPDecodeRGBInto(data, bytes.size(), image.pixels.data(), image.pixels.size(),
                        features->width * kChannels) == nullptr) {
    return std::nullopt;
  }
  if (features->has_alpha != 0) {
    add_left_out(image, kTransparency);
  }
  return image;
}

#else

bool has_webp() {
  return false;
}

std::optional<std::pair<int64_t, int64_t>> webp_size(std::span<const std::byte> /*bytes*/) {
  return std::nullopt;
}

bool is_animated_webp(std::span<const std::byte> /*bytes*/) {
  return false;
}

std::optional<DecodedImage> decode_webp(std::span<const std::byte> /*bytes*/) {
  return std::nullopt;
}

#endif

}  // namespace lazymar
