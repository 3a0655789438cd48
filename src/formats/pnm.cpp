#include "formats/pnm.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace lazymar {
namespace {

/// The next number of a PNM's text, after white space and comments.
std::optional<uint64_t> pnm_number(std::string_view file, size_t& place) {
  const auto space = [&] { return std::isspace(static_cast<unsigned char>(file[place])) != 0; };
  while (place < file.size() && (space() || file[place] == '#')) {
    if (file[place] == '#') {
      place = std::min(file.find_first_of("\n\r", place), file.size());
    } else {
      ++place;
    }
  }
  constexpr size_t kMostDigits = 9;
  const size_t begin = place;
  uint64_t value = 0;
  for (; place < file.size() && file[place] >= '0' && file[place] <= '9'; ++place) {
    value = value * 10 + static_cast<uint64_t>(file[place] - '0');
    if (place - begin >= kMostDigits) {
      return std::nullopt;
    }
  }
  return place > begin ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<PnmHeader> pnm_header(std::string_view file) {
  size_t place = 2;
  const auto width = pnm_number(file, place);
  const auto height = pnm_number(file, place);
  const auto most = pnm_number(file, place);
  if (!width || !height || !most || *width == 0 || *height == 0) {
    return std::nullopt;
  }
  return PnmHeader{*width, *height, *most, place + 1};  // one character before the pixels
}

bool is_whole_pnm(std::string_view file) {
  const auto header = pnm_header(file);
  if (!header || header->most != kPnmMost || header->pixels > file.size()) {
    return false;
  }
  const uint64_t line = header->width * (file.starts_with("P6") ? 3 : 1);
  return header->height <= (file.size() - header->pixels) / line;
}

bool is_text_pnm(std::string_view file) {
  return file.starts_with("P2") || file.starts_with("P3");
}

std::optional<DecodedImage> decode_text_pnm(std::string_view file) {
  const auto header = pnm_header(file);
  if (!is_text_pnm(file) || !header || header->most != kPnmMost ||
      header->width > static_cast<uint64_t>(kMostPixels) / header->height) {
    return std::nullopt;
  }
  const bool grey = file.starts_with("P2");
  const uint64_t values = header->width * header->height * (grey ? 1 : 3);
  if (values > (file.size() + 1) / 2) {  // a value takes a digit and a space
    return std::nullopt;
  }
  DecodedImage image{static_cast<int64_t>(header->width), static_cast<int64_t>(header->height), {}};
  size_t place = header->pixels - 1;
  for (uint64_t i = 0; i < values; ++i) {
    const auto value = pnm_number(file, place);
    if (!value || *value > kPnmMost) {
      return std::nullopt;
    }
    image.pixels.insert(image.pixels.end(), grey ? 3 : 1, static_cast<uint8_t>(*value));
  }
  return image;
}

}  // namespace lazymar
