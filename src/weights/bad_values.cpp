#include "weights/bad_values.h"

#include <cstring>
#include <vector>

namespace lazymar {
namespace {

// Bits of the exponent: all of them set are NaN or infinite.
constexpr uint16_t kF16Exponent = 0x7c00;
constexpr uint16_t kBF16Exponent = 0x7f80;
constexpr uint32_t kF32Exponent = 0x7f800000;
constexpr uint64_t kF64Exponent = 0x7ff0000000000000;

template <typename Bits>
int64_t count(std::span<const std::byte> elements, Bits exponent) {
  int64_t bad = 0;
  for (size_t i = 0; i + sizeof(Bits) <= elements.size(); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, elements.data() + i, sizeof bits);
    bad += (bits & exponent) == exponent ? 1 : 0;
  }
  return bad;
}

/// Element by element; a view's strides do not repeat elements.
int64_t count_strided(const TensorView& view) {
  const int64_t size = element_size(view.type);
  const int64_t elements = byte_count(view.type, view.shape) / size;
  std::vector<int64_t> index(view.shape.size());
  int64_t place = 0;
  int64_t bad = 0;
  for (int64_t i = 0; i < elements; ++i) {
    bad += count_bad_values(view.type, view.bytes.subspan(static_cast<size_t>(place * size),
                                                          static_cast<size_t>(size)));
    for (size_t d = index.size(); d-- > 0;) {
      place += view.strides[d];
      if (++index[d] < view.shape[d]) {
        break;
      }
      place -= view.strides[d] * view.shape[d];
      index[d] = 0;
    }
  }
  return bad;
}

}  // namespace

int64_t count_bad_values(ElementType type, std::span<const std::byte> elements) {
  switch (type) {
    case ElementType::kF16:
      return count(elements, kF16Exponent);
    case ElementType::kBF16:
      return count(elements, kBF16Exponent);
    case ElementType::kF32:
      return count(elements, kF32Exponent);
    case ElementType::kF64:
      return count(elements, kF64Exponent);
    default:
      return 0;
  }
}

int64_t count_bad_values(const TensorView& view) {
  const int64_t bad = count_bad_values(view.type, view.bytes);
  return bad == 0 || view.strides.empty() ? bad : count_strided(view);
}

}  // namespace lazymar
