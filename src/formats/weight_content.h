#pragma once
/// The content of a weight file, whatever its format. No LibTorch here: this is what fuzzers run.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/zip_archive.h"

namespace lazymar {

/// Element types of the safetensors format; types smaller than a byte are refused.
enum class ElementType {
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};

/// The safetensors name of a type ("F32"), the type of a name, and its size in bytes.
std::string_view to_string(ElementType type);
std::optional<ElementType> element_type(std::string_view name);
int64_t element_size(ElementType type);

// Limits that no model comes near, and that keep products of sizes far from overflow.
inline constexpr size_t kMaxDimensions = 8;
inline constexpr int64_t kMaxDimension = int64_t{1} << 40;

/// One tensor: the position of its bytes, and their meaning (little-endian).
struct TensorView {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  ///< from the first element to the last
  std::vector<int64_t> strides{};    ///< in elements; empty: row-major and without gaps
  std::optional<size_t> record{};    ///< the WeightContent::records entry that holds the bytes
};

/// Bytes of a tensor without gaps, for a shape that is known to be valid.
int64_t byte_count(ElementType type, std::span<const int64_t> shape);

/// The same for a shape (sizes >= 0) from a file. Empty if the product of its nonzero sizes
/// overflows int64_t. As in NumPy, zeros are left out, because strides are products even without
/// elements.
std::optional<int64_t> checked_byte_count(ElementType type, std::span<const int64_t> shape);

/// "[2, 3]", for messages.
std::string shape_string(std::span<const int64_t> shape);

/// Whether a checkpoint's key or a prefix of names says that weights are averaged: "model_ema",
/// "ema", "state_dict_ema".
bool says_ema(std::string_view name);

/// End of the message about a checkpoint's damaged record.
inline constexpr std::string_view kCrcAdvice = " (--no_crc skips this check)";

/// Tensors by name, and their source.
struct WeightContent {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> unreadable;  ///< names without a usable tensor, and why
  std::string section;                ///< their key in the checkpoint; empty if there is none
  std::vector<ZipEntry> records;      ///< what a CRC-32 can check
  std::string prefix;                 ///< what find_network() took off the names
  std::vector<std::string> left_out;  ///< names without it, whose tensors are no longer here
};

}  // namespace lazymar
