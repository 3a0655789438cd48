#pragma once
/// The header of an .npy file (numpy/lib/format.py): a Python dictionary as text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/byte_reader.h"
#include "formats/weight_content.h"

namespace lazymar {

struct NpyHeader {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  bool column_major = false;
  bool big_endian = false;
};

/// Whether a file begins like an .npy.
bool looks_like_npy(std::span<const std::byte> file);

/// Reads magic, version, length and dictionary; the reader is at the first element afterwards.
/// Throws Error (usage), see parse_npy().
NpyHeader read_npy_header(ByteReader& reader);

/// The same as bytes, of format version 1, padded as numpy pads it (to a multiple of 64).
std::string npy_header(ElementType type, const std::vector<int64_t>& shape);

}  // namespace lazymar
