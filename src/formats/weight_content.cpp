#include "formats/weight_content.h"

#include <algorithm>
#include <array>

namespace lazymar {
namespace {

struct TypeInfo {
  ElementType type;
  std::string_view name;
  int64_t size;
};

constexpr std::array<TypeInfo, 13> kTypes{{
    {ElementType::kBool, "BOOL", 1},
    {ElementType::kU8, "U8", 1},
    {ElementType::kI8, "I8", 1},
    {ElementType::kI16, "I16", 2},
    {ElementType::kU16, "U16", 2},
    {ElementType::kF16, "F16", 2},
    {ElementType::kBF16, "BF16", 2},
    {ElementType::kI32, "I32", 4},
    {ElementType::kU32, "U32", 4},
    {ElementType::kF32, "F32", 4},
    {ElementType::kF64, "F64", 8},
    {ElementType::kI64, "I64", 8},
    {ElementType::kU64, "U64", 8},
}};

const TypeInfo& info(ElementType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [type](const TypeInfo& entry) { return entry.type == type; });
}

}  // namespace

std::string_view to_string(ElementType type) {
  return info(type).name;
}

std::optional<ElementType> element_type(std::string_view name) {
  for (const TypeInfo& entry : kTypes) {
    if (entry.name == name) {
      return entry.type;
    }
  }
  return std::nullopt;
}

int64_t element_size(ElementType type) {
  return info(type).size;
}

int64_t byte_count(ElementType type, std::span<const int64_t> shape) {
  int64_t count = element_size(type);
  for (const int64_t size : shape) {
    count *= size;
  }
  return count;
}

std::optional<int64_t> checked_byte_count(ElementType type, std::span<const int64_t> shape) {
  int64_t bytes = element_size(type);
  bool empty = false;
  for (const int64_t size : shape) {
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bytes, size, &bytes)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : bytes;
}

bool says_ema(std::string_view name) {
  return name == "ema" || name.starts_with("ema_") || name.ends_with("_ema");
}

std::string shape_string(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t size : shape) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + "]";
}

}  // namespace lazymar
