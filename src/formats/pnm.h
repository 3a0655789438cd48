#pragma once
/// Netpbm's grey and colour pictures (PGM, PPM): binary (P5, P6) and as text (P2, P3).

#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/image.h"

namespace lazymar {

struct PnmHeader {
  uint64_t width = 0, height = 0;
  uint64_t most = 0;    ///< the value of white
  uint64_t pixels = 0;  ///< where they begin
};
/// The header of a P2, P3, P5 or P6; empty if it is none.
std::optional<PnmHeader> pnm_header(std::string_view file);

/// The one value of white that is read. stb_image 2.27 does not scale by others, and reads out of
/// bounds if a value needs 16 bits.
inline constexpr uint64_t kPnmMost = 255;

/// Whether a binary PNM whose white is kPnmMost has all the bytes that its header asks for;
/// stb_image would fill in what is missing.
bool is_whole_pnm(std::string_view file);

/// Whether the file begins as a PNM whose pixels are text.
bool is_text_pnm(std::string_view file);

/// Such a file, of at most kMostPixels pixels, its white kPnmMost. Empty if it is not, or if values
/// are missing or larger.
std::optional<DecodedImage> decode_text_pnm(std::string_view file);

}  // namespace lazymar
