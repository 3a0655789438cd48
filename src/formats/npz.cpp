#include "formats/npz.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "files/byte_reader.h"
#include "formats/foreign_file.h"
#include "formats/npy_header.h"

namespace lazymar {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr const char* kBareArray = "arr_0";

template <typename T, bool kSwap>
double value_at(const std::byte* bytes) {
  std::array<std::byte, sizeof(T)> own;
  std::copy_n(bytes, sizeof(T), own.begin());
  if constexpr (kSwap) {
    std::reverse(own.begin(), own.end());
  }
  return static_cast<double>(std::bit_cast<T>(own));
}

/// IEEE 754's binary16.
template <bool kSwap>
double half_at(const std::byte* bytes) {
  constexpr int kExponents = 31;
  constexpr int kBias = 15;
  constexpr int kFractionBits = 10;
  const auto bits = static_cast<unsigned>(value_at<uint16_t, kSwap>(bytes));
  const auto exponent = static_cast<int>(bits >> kFractionBits & kExponents);
  const auto fraction = static_cast<double>(bits & ((1U << kFractionBits) - 1));
  const double sign = (bits >> 15) != 0 ? -1 : 1;
  if (exponent == kExponents) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  const double hidden = exponent == 0 ? 0 : 1 << kFractionBits;
  return sign *
         std::ldexp(hidden + fraction, (exponent == 0 ? 1 : exponent) - kBias - kFractionBits);
}

template <bool kSwap>
ElementReader reader_of(ElementType type) {
  switch (type) {
    case ElementType::kU8:
      return value_at<uint8_t, kSwap>;
    case ElementType::kI8:
      return value_at<int8_t, kSwap>;
    case ElementType::kU16:
      return value_at<uint16_t, kSwap>;
    case ElementType::kI16:
      return value_at<int16_t, kSwap>;
    case ElementType::kU32:
      return value_at<uint32_t, kSwap>;
    case ElementType::kI32:
      return value_at<int32_t, kSwap>;
    case ElementType::kU64:
      return value_at<uint64_t, kSwap>;
    case ElementType::kI64:
      return value_at<int64_t, kSwap>;
    case ElementType::kF16:
      return half_at<kSwap>;
    case ElementType::kF32:
      return value_at<float, kSwap>;
    case ElementType::kF64:
      return value_at<double, kSwap>;
    default:
      return nullptr;
  }
}

}  // namespace

ElementReader element_reader(const NpyArray& array) {
  return array.big_endian ? reader_of<true>(array.type) : reader_of<false>(array.type);
}

std::vector<int64_t> npy_strides(const NpyArray& array) {
  std::vector<int64_t> strides(array.shape.size());
  int64_t stride = 1;
  for (size_t i = 0; i < strides.size(); ++i) {
    const size_t dim = array.column_major ? i : strides.size() - 1 - i;
    strides[dim] = stride;
    stride *= array.shape[dim];
  }
  return strides;
}

NpyArray parse_npy(std::span<const std::byte> npy, std::string_view file, uint64_t position) {
  ByteReader reader(npy, file, 0, position);
  const NpyHeader header = read_npy_header(reader);
  const uint64_t begin = reader.position();
  const auto bytes = checked_byte_count(header.type, header.shape);
  if (!bytes) {
    reader.refuse(begin, "the size of an array ", shape_string(header.shape), " overflows");
  }
  const auto expected = static_cast<uint64_t>(*bytes);
  if (expected != reader.remaining()) {
    reader.refuse(begin, "an array ", shape_string(header.shape), " has ", expected, " bytes, but ",
                  reader.remaining(), " are present",
                  expected > reader.remaining() ? ": truncated?" : "");
  }
  return {header.type, header.shape, header.column_major, reader.take(expected), header.big_endian};
}

std::vector<double> to_doubles(const NpyArray& array, std::string_view what) {
  const ElementReader value = element_reader(array);
  if (value == nullptr) {
    throw usage_error(what, ": its type is ", to_string(array.type),
                      "; only floats and integers are supported");
  }
  const auto size = static_cast<size_t>(element_size(array.type));
  std::vector<double> values;
  values.reserve(array.bytes.size() / size);
  const std::vector<int64_t> strides = npy_strides(array);
  std::vector<int64_t> index(array.shape.size());
  int64_t place = 0;
  while (values.size() * size < array.bytes.size()) {
    values.push_back(value(array.bytes.data() + static_cast<size_t>(place) * size));
    for (size_t dim = index.size(); dim-- > 0;) {
      place += strides[dim];
      if (++index[dim] < array.shape[dim]) {
        break;
      }
      place -= strides[dim] * array.shape[dim];
      index[dim] = 0;
    }
  }
  return values;
}

std::span<const std::byte> NpzFile::checked(const MappedFile& file) {
  if (const std::string other = foreign_file(file.bytes()); !other.empty()) {
    throw usage_error(file.path().string(), ": ", other);
  }
  return file.bytes();
}

NpzArchive::NpzArchive(std::span<const std::byte> archive, std::string file)
    : file_(std::move(file)) {
  if (looks_like_npy(archive)) {
    arrays_.emplace(kBareArray, parse_npy(archive, file_));
    return;
  }
  for (const ZipEntry& entry : read_zip_directory(archive, file_, ZipMethods::kStoredAndDeflated)) {
    std::string name(entry.name);
    if (name.ends_with(kSuffix)) {
      name.resize(name.size() - kSuffix.size());
    }
    if (!entries_.emplace(name, entry).second) {
      refuse_at(file_, entry.position, "array ", in_quotes(name), " occurs twice");
    }
  }
}

std::vector<std::string> NpzArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  if (entries_.empty() && !arrays_.empty()) {
    names.emplace_back(kBareArray);
  }
  return names;
}

std::string NpzArchive::other_names(std::span<const std::string_view> used) const {
  constexpr size_t kLongest = 200;
  std::vector<std::string> others;
  for (const std::string& name : names()) {
    if (std::find(used.begin(), used.end(), name) == used.end()) {
      others.push_back(in_quotes(name));
    }
  }
  return one_line(join(others, ", "), kLongest);
}

bool NpzArchive::has(std::string_view name) const {
  return entries_.contains(name) || arrays_.contains(name);
}

NpyArray NpzArchive::array(std::string_view name) const {
  if (const auto known = arrays_.find(name); known != arrays_.end()) {
    return known->second;
  }
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    std::string there;
    for (const std::string& other : names()) {
      there += (there.empty() ? "" : ", ") + one_line(other, 60);
    }
    throw usage_error(file_, ": no array ", in_quotes(name), "; found ",
                      there.empty() ? "nothing" : one_line(there, 500));
  }
  const ZipEntry& entry = found->second;
  std::span<const std::byte> npy = entry.bytes;
  std::vector<std::byte> content;
  if (entry.deflated) {
    content = inflate(entry, file_, kLongestInflated);
    npy = content;
  } else {
    check_crc(entry, file_);
  }
  NpyArray array = parse_npy(npy, file_, entry.position);
  if (entry.deflated) {
    inflated_.push_back(std::move(content));  // a vector that is moved keeps its bytes' place
  }
  arrays_.emplace(name, array);
  return array;
}

}  // namespace lazymar
