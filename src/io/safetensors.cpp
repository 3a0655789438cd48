#include "lazymar/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "lazymar/core/error.h"
#include "lazymar/io/atomic_file.h"

namespace lazymar {
namespace {

using nlohmann::json;

// Limits: the header's length is the reference reader's; no tensor of any model comes near the
// others, which keep every product far from overflow.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDimensions = 8;
constexpr int64_t kMaxDimension = int64_t{1} << 40;
constexpr int kMaxDepth = 4;
constexpr size_t kLengthBytes = 8;

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

/// Reads one file's header; holds what every message needs.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> file, std::string_view where)
      : file_(file), where_(where) {}

  SafetensorsContent read() {
    const uint64_t length = header_length();
    const auto* text = reinterpret_cast<const char*>(file_.data()) + kLengthBytes;
    const json header = parse(std::string_view(text, length));
    data_ = file_.subspan(kLengthBytes + length);
    SafetensorsContent content;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        content.metadata = read_metadata(value);
      } else {
        content.tensors.emplace(name, read_tensor(name, value));
      }
    }
    check_coverage();
    return content;
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... parts) const {
    throw usage_error(where_, ": not a valid safetensors file: ", std::forward<Parts>(parts)...);
  }

  uint64_t header_length() const {
    if (file_.size() < kLengthBytes) {
      refuse("only ", file_.size(), " bytes long");
    }
    uint64_t length = 0;
    std::memcpy(&length, file_.data(), kLengthBytes);
    if (length > kMaxHeaderBytes) {
      refuse("header of ", length, " bytes, the limit is ", kMaxHeaderBytes);
    }
    if (length > file_.size() - kLengthBytes) {
      refuse("header of ", length, " bytes runs past the end of the file (", file_.size(),
             " bytes): truncated?");
    }
    return length;
  }

  json parse(std::string_view text) const {
    // The JSON parser takes a NUL for the end and would not see what follows.
    if (text.find('\0') != std::string_view::npos) {
      refuse("header holds a NUL byte");
    }
    // The callback refuses what a plain parse lets through: duplicate keys, deep nesting.
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& value) {
      if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
        if (depth >= kMaxDepth) {
          refuse("header nests deeper than ", kMaxDepth, " levels");
        }
        keys.emplace_back();
      } else if (event == json::parse_event_t::object_end ||
                 event == json::parse_event_t::array_end) {
        keys.pop_back();
      } else if (event == json::parse_event_t::key) {
        if (!keys.back().insert(value.get<std::string>()).second) {
          refuse("duplicate key \"", value.get<std::string>(), "\"");
        }
      }
      return true;
    };
    try {
      json header = json::parse(text, check);
      if (!header.is_object()) {
        refuse("header is not a JSON object");
      }
      return header;
    } catch (const json::exception& error) {
      refuse("header: ", error.what());
    }
  }

  std::map<std::string, std::string> read_metadata(const json& value) const {
    if (!value.is_object()) {
      refuse("__metadata__ is not an object");
    }
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        refuse("__metadata__ \"", key, "\" is not a string");
      }
      metadata.emplace(key, text.get<std::string>());
    }
    return metadata;
  }

  TensorView read_tensor(const std::string& name, const json& value) {
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      refuse("tensor \"", name, "\" lacks dtype, shape or data_offsets");
    }
    TensorView view;
    view.type = read_type(name, value["dtype"]);
    int64_t bytes = element_size(view.type);
    const json& shape = value["shape"];
    if (!shape.is_array() || shape.size() > kMaxDimensions) {
      refuse("tensor \"", name, "\": shape is not a list of at most ", kMaxDimensions, " sizes");
    }
    for (const json& size : shape) {
      const auto dimension = unsigned_number(size);
      if (!dimension || *dimension > static_cast<uint64_t>(kMaxDimension)) {
        refuse("tensor \"", name, "\": unusable size in shape");
      }
      view.shape.push_back(static_cast<int64_t>(*dimension));
      if (__builtin_mul_overflow(bytes, view.shape.back(), &bytes)) {
        refuse("tensor \"", name, "\": the size of its shape overflows");
      }
    }
    view.bytes = read_range(name, value["data_offsets"], static_cast<uint64_t>(bytes));
    return view;
  }

  static std::optional<uint64_t> unsigned_number(const json& value) {
    if (!value.is_number_unsigned()) {
      return std::nullopt;
    }
    return value.get<uint64_t>();
  }

  ElementType read_type(const std::string& name, const json& value) const {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    for (const TypeInfo& entry : kTypes) {
      if (entry.name == text) {
        return entry.type;
      }
    }
    refuse("tensor \"", name, "\": unknown dtype ", text);
  }

  std::span<const std::byte> read_range(const std::string& name, const json& offsets,
                                        uint64_t expected) {
    if (!offsets.is_array() || offsets.size() != 2) {
      refuse("tensor \"", name, "\": data_offsets is not a pair");
    }
    const auto begin = unsigned_number(offsets[0]);
    const auto end = unsigned_number(offsets[1]);
    if (!begin || !end || *begin > *end || *end > data_.size()) {
      refuse("tensor \"", name, "\": data_offsets ", offsets.dump(), " outside the file's ",
             data_.size(), " bytes of data: truncated?");
    }
    if (*end - *begin != expected) {
      refuse("tensor \"", name, "\": ", *end - *begin, " bytes of data, its shape needs ",
             expected);
    }
    ranges_.emplace_back(*begin, *end);
    return data_.subspan(*begin, *end - *begin);
  }

  void check_coverage() {
    std::sort(ranges_.begin(), ranges_.end());
    uint64_t position = 0;
    for (const auto& [begin, end] : ranges_) {
      if (begin != position) {
        refuse(begin < position ? "tensors overlap" : "hole between tensors", " at data byte ",
               std::min(begin, position));
      }
      position = end;
    }
    if (position != data_.size()) {
      refuse(data_.size() - position, " bytes after the last tensor");
    }
  }

  std::span<const std::byte> file_;
  std::string_view where_;
  std::span<const std::byte> data_;
  std::vector<std::pair<uint64_t, uint64_t>> ranges_;
};

}  // namespace

std::string_view to_string(ElementType type) {
  return info(type).name;
}

int64_t element_size(ElementType type) {
  return info(type).size;
}

std::string shape_string(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t size : shape) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + "]";
}

SafetensorsContent parse_safetensors(std::span<const std::byte> file, std::string_view where) {
  return HeaderReader(file, where).read();
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_shared<MappedFile>(path)),
      content_(parse_safetensors(file_->bytes(), path.string())) {}

void write_safetensors(const std::filesystem::path& path, const SafetensorsContent& content) {
  json header = json::object();
  if (!content.metadata.empty()) {
    header["__metadata__"] = content.metadata;
  }
  uint64_t offset = 0;
  for (const auto& [name, view] : content.tensors) {
    const uint64_t end = offset + view.bytes.size();
    header[name] = {
        {"dtype", to_string(view.type)}, {"shape", view.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const uint64_t length = text.size();
  std::vector<std::byte> file(kLengthBytes + length + offset);
  std::memcpy(file.data(), &length, kLengthBytes);
  std::memcpy(file.data() + kLengthBytes, text.data(), length);
  auto out = file.begin() + static_cast<ptrdiff_t>(kLengthBytes + length);
  for (const auto& [name, view] : content.tensors) {
    out = std::copy(view.bytes.begin(), view.bytes.end(), out);
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  write_file_atomically(path, file, folder);
}

}  // namespace lazymar
