#include "formats/tiff.h"

#ifdef LAZYMAR_HAS_TIFF
#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"
#endif

namespace lazymar {

#ifdef LAZYMAR_HAS_TIFF

namespace {

/// Bytes that libtiff reads like a file.
struct Memory {
  std::span<const std::byte> bytes;
  size_t place = 0;
};

tmsize_t read_memory(thandle_t handle, void* to, tmsize_t size) {
  auto& memory = *static_cast<Memory*>(handle);
  const size_t left = memory.bytes.size() - std::min(memory.place, memory.bytes.size());
  const size_t count = std::min(left, static_cast<size_t>(std::max<tmsize_t>(size, 0)));
  if (count > 0) {
    std::memcpy(to, memory.bytes.data() + memory.place, count);
  }
  memory.place += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t write_nothing(thandle_t /*handle*/, void* /*from*/, tmsize_t /*size*/) {
  return 0;
}

toff_t seek_memory(thandle_t handle, toff_t offset, int from) {
  auto& memory = *static_cast<Memory*>(handle);
  const size_t start = from == SEEK_CUR ? memory.place : from == SEEK_END ? memory.bytes.size() : 0;
  memory.place = start + static_cast<size_t>(offset);
  return memory.place;
}

int close_memory(thandle_t /*handle*/) {
  return 0;
}

toff_t size_of_memory(thandle_t handle) {
  return static_cast<Memory*>(handle)->bytes.size();
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open(Memory& memory) {
  // Its messages would go to stderr, one per picture; the caller says what is wrong.
  static const auto before =
      std::pair(TIFFSetErrorHandler(nullptr), TIFFSetWarningHandler(nullptr));
  (void)before;
  return {TIFFClientOpen("picture", "rm", &memory, read_memory, write_nothing, seek_memory,
                         close_memory, size_of_memory, nullptr, nullptr),
          &TIFFClose};
}

uint16_t tag(TIFF* tiff, uint32_t name) {
  uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff, name, &value);
  return value;
}

/// Lines of 8-bit grey or RGB, with or without alpha, which libtiff would multiply into the
/// colours.
bool read_lines(TIFF* tiff, int64_t samples, DecodedImage& image) {
  const int64_t width = image.width;
  if (TIFFScanlineSize(tiff) != width * samples) {
    return false;
  }
  std::vector<uint8_t> line(static_cast<size_t>(width * samples));
  bool clear = false;
  for (int64_t y = 0; y < image.height; ++y) {
    if (TIFFReadScanline(tiff, line.data(), static_cast<uint32_t>(y), 0) != 1) {
      return false;
    }
    uint8_t* to = image.pixels.data() + y * width * 3;
    for (int64_t x = 0; x < width; ++x) {
      clear =
          clear || (samples % 2 == 0 && line[static_cast<size_t>((x + 1) * samples - 1)] != 255);
      for (int64_t c = 0; c < 3; ++c) {
        *to++ = line[static_cast<size_t>(x * samples + (samples < 3 ? 0 : c))];
      }
    }
  }
  if (clear) {
    add_left_out(image, kTransparency);
  }
  return true;
}

/// Anything else that libtiff can turn into RGBA.
bool read_any(TIFF* tiff, DecodedImage& image) {
  std::vector<uint32_t> raster(image.pixels.size() / 3);
  if (TIFFReadRGBAImageOriented(tiff, static_cast<uint32_t>(image.width),
                                static_cast<uint32_t>(image.height), raster.data(),
                                ORIENTATION_TOPLEFT, /*stopOnError=*/1) != 1) {
    return false;
  }
  uint8_t* to = image.pixels.data();
  bool clear = false;
  for (const uint32_t pixel : raster) {
    clear = clear || TIFFGetA(pixel) != 255;
    *to++ = static_cast<uint8_t>(TIFFGetR(pixel));
    *to++ = static_cast<uint8_t>(TIFFGetG(pixel));
    *to++ = static_cast<uint8_t>(TIFFGetB(pixel));
  }
  if (clear) {
    add_left_out(image, kTransparency);
  }
  return true;
}

std::optional<std::pair<int64_t, int64_t>> size_of(TIFF* tiff) {
  uint32_t width = 0;
  uint32_t height = 0;
  const bool known = TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width) == 1 &&
                     TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height) == 1;
  return known && width > 0 && height > 0
             ? std::optional(std::pair<int64_t, int64_t>(width, height))
             : std::nullopt;
}

}  // namespace

bool has_tiff() {
  return true;
}

std::optional<DecodedImage> decode_tiff(std::span<const std::byte> bytes) {
  Memory memory{bytes};
  const Tiff tiff = open(memory);
  const auto size = tiff ? size_of(tiff.get()) : std::nullopt;
  if (!size || size->first > kMostPixels / size->second) {
    return std::nullopt;
  }
  DecodedImage image{size->first, size->second, {}};
  image.pixels.resize(static_cast<size_t>(3 * size->first * size->second));
  const uint16_t samples = tag(tiff.get(), TIFFTAG_SAMPLESPERPIXEL);
  const uint16_t photometric = tag(tiff.get(), TIFFTAG_PHOTOMETRIC);
  const bool grey = photometric == PHOTOMETRIC_MINISBLACK && (samples == 1 || samples == 2);
  const bool colour = photometric == PHOTOMETRIC_RGB && (samples == 3 || samples == 4);
  const bool lines = (grey || colour) && tag(tiff.get(), TIFFTAG_BITSPERSAMPLE) == 8 &&
                     tag(tiff.get(), TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG &&
                     TIFFIsTiled(tiff.get()) == 0;
  const bool read = lines ? read_lines(tiff.get(), samples, image) : read_any(tiff.get(), image);
  if (read && TIFFNumberOfDirectories(tiff.get()) > 1) {
    add_left_out(image, kLaterPages);
  }
  return read ? std::optional(std::move(image)) : std::nullopt;
}

std::optional<std::pair<int64_t, int64_t>> tiff_size(std::span<const std::byte> bytes) {
  Memory memory{bytes};
  const Tiff tiff = open(memory);
  return tiff ? size_of(tiff.get()) : std::nullopt;
}

std::string unread_tiff(std::span<const std::byte> bytes) {
  Memory memory{bytes};
  const Tiff tiff = open(memory);
  if (!tiff || !size_of(tiff.get())) {
    return "";
  }
  const uint16_t compression = tag(tiff.get(), TIFFTAG_COMPRESSION);
  if (TIFFIsCODECConfigured(compression) != 1) {
    return concat("TIFF with compression ", compression);
  }
  char reason[1024] = "";
  return TIFFRGBAImageOK(tiff.get(), reason) == 1 ? "" : concat("this TIFF (", reason, ")");
}

#else

bool has_tiff() {
  return false;
}

std::optional<std::pair<int64_t, int64_t>> tiff_size(std::span<const std::byte> /*bytes*/) {
  return std::nullopt;
}

std::string unread_tiff(std::span<const std::byte> /*bytes*/) {
  return "";
}

std::optional<DecodedImage> decode_tiff(std::span<const std::byte> /*bytes*/) {
  return std::nullopt;
}

#endif

}  // namespace lazymar
