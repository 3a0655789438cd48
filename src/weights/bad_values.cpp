#include "weights/bad_values.h"

#include <bit>
#include <cstring>
#include <limits>
#include <vector>

namespace lazymar {
namespace {

/// The least magnitude that rounds to infinity in a type: half a unit above its largest number.
double first_infinite(ElementType type) {
  switch (type) {
    case ElementType::kF16:
      return 0x1.ffep15;
    case ElementType::kBF16:
      return 0x1.ffp127;
    case ElementType::kF32:
      return 0x1.ffffffp127;
    default:
      return std::numeric_limits<double>::infinity();
  }
}

constexpr uint16_t kF16Infinity = 0x7c00;  // no type that is converted to holds less

/// Elements whose bits without the sign, read as a number, are `limit` or more: of IEEE 754's
/// formats, larger bits are larger magnitudes, then infinity, then NaN.
template <typename Bits>
int64_t count(std::span<const std::byte> elements, Bits limit) {
  constexpr auto kMagnitude = static_cast<Bits>(std::numeric_limits<Bits>::max() >> 1);
  int64_t bad = 0;
  for (size_t i = 0; i + sizeof(Bits) <= elements.size(); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, elements.data() + i, sizeof bits);
    bad += (bits & kMagnitude) >= limit ? 1 : 0;
  }
  return bad;
}

/// Element by element; a view's strides do not repeat elements.
int64_t count_strided(const TensorView& view, ElementType as) {
  const int64_t size = element_size(view.type);
  const int64_t elements = byte_count(view.type, view.shape) / size;
  std::vector<int64_t> index(view.shape.size());
  int64_t place = 0;
  int64_t bad = 0;
  for (int64_t i = 0; i < elements; ++i) {
    bad += count_bad_values(
        view.type, view.bytes.subspan(static_cast<size_t>(place * size), static_cast<size_t>(size)),
        as);
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

int64_t count_bad_values(ElementType type, std::span<const std::byte> elements, ElementType as) {
  constexpr int kBf16Shift = 16;  // its bits are the upper ones of an F32
  const double limit = first_infinite(as);
  const auto limit32 = std::bit_cast<uint32_t>(static_cast<float>(limit));
  switch (type) {
    case ElementType::kF16:
      return count(elements, kF16Infinity);
    case ElementType::kBF16:
      return count(elements, static_cast<uint16_t>((limit32 + 0xffffU) >> kBf16Shift));
    case ElementType::kF32:
      return count(elements, limit32);
    case ElementType::kF64:
      return count(elements, std::bit_cast<uint64_t>(limit));
    default:
      return 0;
  }
}

int64_t count_bad_values(const TensorView& view, ElementType as) {
  const int64_t bad = count_bad_values(view.type, view.bytes, as);
  return bad == 0 || view.strides.empty() ? bad : count_strided(view, as);
}

int64_t count_bad_values(const TensorView& view) {
  return count_bad_values(view, view.type);
}

}  // namespace lazymar
