#include "formats/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "files/atomic_file.h"
#include "files/byte_reader.h"
#include "files/read_ahead.h"
#include "formats/strict_json.h"

namespace lazymar {
namespace {

using nlohmann::json;

// The longest header that the reference reader accepts.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDepth = 4;
constexpr size_t kLengthBytes = 8;

/// Reads one file's header; holds what every message needs.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> file, std::string_view where)
      : file_(file), where_(where) {}

  WeightContent read() {
    const uint64_t length = header_length();
    text_ = as_text(file_.subspan(kLengthBytes, length));
    read_ahead(file_.subspan(kLengthBytes, length));
    const json header = parse();
    data_ = file_.subspan(kLengthBytes + length);
    WeightContent content;
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
  [[noreturn]] void refuse(uint64_t position, Parts&&... parts) const {
    refuse_at(where_, position, "not a valid safetensors file: ", std::forward<Parts>(parts)...);
  }

  /// Position of a name in the header, for messages: its last occurrence, which is the wrong one of
  /// a duplicate. The header's start if the name is written differently.
  uint64_t position_of(const std::string& name) const {
    const size_t found = text_.rfind(json(name).dump());
    return kLengthBytes + (found == std::string_view::npos ? 0 : found);
  }

  template <typename... Parts>
  [[noreturn]] void refuse_tensor(const std::string& name, Parts&&... parts) const {
    refuse(position_of(name), "tensor ", in_quotes(name), std::forward<Parts>(parts)...);
  }

  uint64_t header_length() const {
    if (file_.size() < kLengthBytes) {
      refuse(0, "only ", file_.size(), " bytes long");
    }
    uint64_t length = 0;
    std::memcpy(&length, file_.data(), kLengthBytes);
    if (length > kMaxHeaderBytes) {
      refuse(0, "header of ", length, " bytes, the limit is ", kMaxHeaderBytes);
    }
    if (length > file_.size() - kLengthBytes) {
      refuse(0, "header of ", length, " bytes runs past the end of the file (", file_.size(),
             " bytes): truncated?");
    }
    return length;
  }

  json parse() const {
    // The JSON parser stops at a NUL and would not see what follows.
    if (const size_t nul = text_.find('\0'); nul != std::string_view::npos) {
      refuse(kLengthBytes + nul, "header contains a NUL byte");
    }
    try {
      json header = parse_strict_json(text_, kMaxDepth);
      if (!header.is_object()) {
        refuse(kLengthBytes, "header is not a JSON object");
      }
      return header;
    } catch (const DuplicateKey& key) {
      refuse(position_of(key.what()), "duplicate key ", in_quotes(key.what()));
    } catch (const NestsTooDeep& deep) {
      refuse(kLengthBytes, "header ", deep.what());
    } catch (const json::parse_error& error) {
      refuse(kLengthBytes + error.byte, "header: ", in_quotes(error.what()));
    } catch (const json::exception& error) {  // a number out of range
      refuse(kLengthBytes, "header: ", in_quotes(error.what()));
    }
  }

  std::map<std::string, std::string> read_metadata(const json& value) const {
    if (!value.is_object()) {
      refuse(kLengthBytes, "__metadata__ is not an object");
    }
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        refuse(position_of(key), "__metadata__ ", in_quotes(key), " is not a string");
      }
      metadata.emplace(key, text.get<std::string>());
    }
    return metadata;
  }

  TensorView read_tensor(const std::string& name, const json& value) {
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      refuse_tensor(name, " has no dtype, shape or data_offsets");
    }
    TensorView view;
    view.type = read_type(name, value["dtype"]);
    const json& shape = value["shape"];
    if (!shape.is_array() || shape.size() > kMaxDimensions) {
      refuse_tensor(name, ": shape is not a list of at most ", kMaxDimensions, " sizes");
    }
    for (const json& size : shape) {
      const auto dimension = unsigned_number(size);
      if (!dimension || *dimension > static_cast<uint64_t>(kMaxDimension)) {
        refuse_tensor(name, ": invalid size in shape");
      }
      view.shape.push_back(static_cast<int64_t>(*dimension));
    }
    const auto bytes = checked_byte_count(view.type, view.shape);
    if (!bytes) {
      refuse_tensor(name, ": the size of its shape overflows");
    }
    view.bytes = read_range(name, value["data_offsets"], static_cast<uint64_t>(*bytes));
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
    if (const auto type = element_type(text)) {
      return *type;
    }
    refuse_tensor(name, ": unknown dtype ", in_quotes(text));
  }

  std::span<const std::byte> read_range(const std::string& name, const json& offsets,
                                        uint64_t expected) {
    if (!offsets.is_array() || offsets.size() != 2) {
      refuse_tensor(name, ": data_offsets is not a pair");
    }
    const auto begin = unsigned_number(offsets[0]);
    const auto end = unsigned_number(offsets[1]);
    if (!begin || !end || *begin > *end || *end > data_.size()) {
      refuse_tensor(name, ": data_offsets ", in_quotes(offsets.dump()), " outside the file's ",
                    data_.size(), " bytes of data: truncated?");
    }
    if (*end - *begin != expected) {
      refuse_tensor(name, ": ", *end - *begin, " bytes of data, its shape needs ", expected);
    }
    ranges_.emplace_back(*begin, *end);
    return data_.subspan(*begin, *end - *begin);
  }

  void check_coverage() {
    const uint64_t data_begin = file_.size() - data_.size();
    std::sort(ranges_.begin(), ranges_.end());
    uint64_t position = 0;
    for (const auto& [begin, end] : ranges_) {
      if (begin != position) {
        refuse(data_begin + std::min(begin, position),
               begin < position ? "tensors overlap" : "gap between tensors");
      }
      position = end;
    }
    if (position != data_.size()) {
      refuse(data_begin + position, data_.size() - position, " bytes after the last tensor");
    }
  }

  std::span<const std::byte> file_;
  std::string_view where_;
  std::string_view text_;            ///< the header
  std::span<const std::byte> data_;  ///< what follows it
  std::vector<std::pair<uint64_t, uint64_t>> ranges_;
};

}  // namespace

WeightContent parse_safetensors(std::span<const std::byte> file, std::string_view where) {
  return HeaderReader(file, where).read();
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = metadata;
  }
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t end = offset + static_cast<uint64_t>(byte_count(tensor.type, tensor.shape));
    header[name] = {{"dtype", to_string(tensor.type)},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const uint64_t length = text.size();
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const auto produce = [&](const ByteSink& write) {
    write(std::as_bytes(std::span(&length, 1)));
    write(std::as_bytes(std::span(text)));
    for (const auto& [name, tensor] : tensors) {
      write(tensor.bytes());
    }
  };
  write_file_atomically(path, produce, folder);
}

void write_safetensors(const std::filesystem::path& path, const WeightContent& content) {
  std::map<std::string, TensorSource> tensors;
  for (const auto& [name, view] : content.tensors) {
    tensors[name] = {view.type, view.shape, [bytes = view.bytes] { return bytes; }};
  }
  write_safetensors(path, tensors, content.metadata);
}

}  // namespace lazymar
