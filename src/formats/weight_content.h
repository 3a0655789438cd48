#pragma once
/// What a file of weights says, whatever its format. No LibTorch here: this is what fuzzers run.

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

/// Element types, those of the safetensors format; narrower ones than a byte are refused.
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

// No tensor of any model comes near these, which keep products of sizes far from overflow.
inline constexpr size_t kMaxDimensions = 8;
inline constexpr int64_t kMaxDimension = int64_t{1} << 40;

/// One tensor: where its bytes stand, and what they mean (little-endian).
struct TensorView {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  ///< from the first element to the last
  std::vector<int64_t> strides{};    ///< in elements; empty: row-major and without gaps
  std::optional<size_t> record{};    ///< the WeightContent::records entry that holds the bytes
};

/// Bytes of a tensor without gaps, of a shape that is known to be sensible.
int64_t byte_count(ElementType type, std::span<const int64_t> shape);

/// The same of a shape (sizes >= 0) that a file tells. Nothing where its sizes multiply to more
/// than int64_t holds, zeros left out, as NumPy has it: without elements, too, strides are
/// products.
std::optional<int64_t> checked_byte_count(ElementType type, std::span<const int64_t> shape);

/// "[2, 3]", for messages.
std::string shape_string(std::span<const int64_t> shape);

/// Ends the message about a checkpoint's damaged record.
inline constexpr std::string_view kCrcAdvice = " (--no_crc skips this check)";

/// Tensors by name, and where they come from.
struct WeightContent {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> unreadable;  ///< names that hold no usable tensor, and why
  std::string section;  ///< the checkpoint's key they stood under; empty where there is none
  std::vector<ZipEntry> records;  ///< what a CRC-32 can check
};

}  // namespace lazymar
