#include "formats/npz.h"

#include <cstring>

#include "formats/npy_header.h"

namespace lazymar {
namespace {

constexpr std::string_view kSuffix = ".npy";

template <typename T>
double value_at(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

using ValueAt = double (*)(const std::byte*);

/// How an element of the type is read; nullptr for types that are no numbers here.
ValueAt reader_of(ElementType type) {
  switch (type) {
    case ElementType::kU8:
      return value_at<uint8_t>;
    case ElementType::kI8:
      return value_at<int8_t>;
    case ElementType::kU16:
      return value_at<uint16_t>;
    case ElementType::kI16:
      return value_at<int16_t>;
    case ElementType::kU32:
      return value_at<uint32_t>;
    case ElementType::kI32:
      return value_at<int32_t>;
    case ElementType::kU64:
      return value_at<uint64_t>;
    case ElementType::kI64:
      return value_at<int64_t>;
    case ElementType::kF32:
      return value_at<float>;
    case ElementType::kF64:
      return value_at<double>;
    default:
      return nullptr;
  }
}

/// Where elements lie, in elements, by the row-major order of their indices.
std::vector<int64_t> strides_of(const NpyArray& array) {
  std::vector<int64_t> strides(array.shape.size());
  int64_t stride = 1;
  for (size_t i = 0; i < strides.size(); ++i) {
    const size_t dim = array.column_major ? i : strides.size() - 1 - i;
    strides[dim] = stride;
    stride *= array.shape[dim];
  }
  return strides;
}

}  // namespace

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
    reader.refuse(begin, "an array ", shape_string(header.shape), " has ", expected, " bytes, and ",
                  reader.remaining(), " are there",
                  expected > reader.remaining() ? ": truncated?" : "");
  }
  return {header.type, header.shape, header.column_major, reader.take(expected)};
}

std::vector<double> to_doubles(const NpyArray& array, std::string_view what) {
  const ValueAt value = reader_of(array.type);
  if (value == nullptr) {
    throw usage_error(what, ": its type is ", to_string(array.type),
                      "; floats of 4 or 8 bytes and integers are read");
  }
  const auto size = static_cast<size_t>(element_size(array.type));
  std::vector<double> values;
  values.reserve(array.bytes.size() / size);
  const std::vector<int64_t> strides = strides_of(array);
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

NpzArchive::NpzArchive(std::span<const std::byte> archive, std::string file)
    : file_(std::move(file)) {
  for (const ZipEntry& entry : read_zip_directory(archive, file_, ZipMethods::kStoredAndDeflated)) {
    std::string name(entry.name);
    if (name.ends_with(kSuffix)) {
      name.resize(name.size() - kSuffix.size());
    }
    if (!entries_.emplace(name, entry).second) {
      refuse_at(file_, entry.position, "array ", in_quotes(name), " is there twice");
    }
  }
}

std::vector<std::string> NpzArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  return names;
}

bool NpzArchive::has(std::string_view name) const {
  return entries_.contains(name);
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
    throw usage_error(file_, ": no array ", in_quotes(name), " in it, but ",
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
