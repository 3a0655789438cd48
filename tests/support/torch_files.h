#pragma once
/// Hand-made zip archives, pickles and checkpoints, right and wrong.

#include <libdeflate.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lazymar::testing {

template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// The file with other bytes at a position; a negative one counts from the end.
inline std::string patched(std::string file, int64_t position, const std::string& bytes) {
  const auto at = position < 0 ? static_cast<int64_t>(file.size()) + position : position;
  return file.replace(static_cast<size_t>(at), bytes.size(), bytes);
}

/// One entry, and the false values in its headers.
struct ZipSpec {
  std::string name{};
  std::string content{};
  uint16_t flags = 0;
  uint16_t method = 0;
  std::optional<uint32_t> crc{}, stored{}, original{}, local{}, local_crc{}, local_stored{};
  std::optional<std::string> local_name{};
  std::string extra{};
};

inline std::string zip_of(const std::vector<ZipSpec>& entries) {
  std::string file;
  std::string directory;
  for (const ZipSpec& entry : entries) {
    const auto size = static_cast<uint32_t>(entry.content.size());
    const auto crc = entry.crc.value_or(libdeflate_crc32(0, entry.content.data(), size));
    const auto common = [&](uint32_t crc32, uint32_t stored, const std::string& name) {
      return bytes_of<uint16_t>(20) + bytes_of(entry.flags) + bytes_of(entry.method) +
             bytes_of<uint32_t>(0) + bytes_of(crc32) + bytes_of(stored) +
             bytes_of(entry.original.value_or(stored)) +
             bytes_of(static_cast<uint16_t>(name.size()));
    };
    const auto position = static_cast<uint32_t>(file.size());
    const std::string local_name = entry.local_name.value_or(entry.name);
    file += "PK\3\4" +
            common(entry.local_crc.value_or(crc), entry.local_stored.value_or(size), local_name) +
            bytes_of<uint16_t>(0) + local_name + entry.content;
    directory +=
        "PK\1\2" + bytes_of<uint16_t>(20) + common(crc, entry.stored.value_or(size), entry.name) +
        bytes_of(static_cast<uint16_t>(entry.extra.size())) + bytes_of<uint32_t>(0) +
        std::string(6, '\0') + bytes_of(entry.local.value_or(position)) + entry.name + entry.extra;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  return file + directory + "PK\5\6" + bytes_of<uint32_t>(0) + bytes_of(count) + bytes_of(count) +
         bytes_of(static_cast<uint32_t>(directory.size())) +
         bytes_of(static_cast<uint32_t>(file.size())) + bytes_of<uint16_t>(0);
}

// Pieces of pickles, in the opcodes that Python writes.
inline const std::string kPickle = "\x80\x02";

inline std::string text_of(const std::string& text) {
  return "X" + bytes_of(static_cast<uint32_t>(text.size())) + text;
}

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string number(int64_t value) {
  return std::string("\x8a\x08") + bytes_of(value);
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string pickle = "(";
  for (const std::string& item : items) {
    pickle += item;
  }
  return pickle + "t";
}

inline std::string numbers(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  items.reserve(values.size());
  for (const int64_t value : values) {
    items.push_back(number(value));
  }
  return tuple(items);
}

inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string pickle = "}(";
  for (const auto& [key, value] : items) {
    pickle += text_of(key) + value;
  }
  return pickle + "u";
}

inline std::string storage(const std::string& type, const std::string& key, int64_t elements) {
  return tuple({text_of("storage"), global("torch", type), text_of(key), text_of("cpu"),
                number(elements)}) +
         "Q";
}

inline std::string tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                          const std::string& behind = "") {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, number(offset), numbers(shape), numbers(strides), "\x89", "}", behind}) +
         "R";
}

inline std::string zip_checkpoint(const std::string& root, std::vector<ZipSpec> more) {
  std::vector<ZipSpec> entries{{.name = "x/data.pkl", .content = kPickle + root + "."}};
  entries.insert(entries.end(), more.begin(), more.end());
  return zip_of(entries);
}

inline std::string stream_checkpoint(const std::string& root, const std::vector<std::string>& keys,
                                     const std::string& storages, bool little_endian = true) {
  std::string list = "](";
  for (const std::string& key : keys) {
    list += text_of(key);
  }
  return kPickle + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + kPickle + number(1001) +
         "." + kPickle + dict({{"little_endian", little_endian ? "\x88" : "\x89"}}) + "." +
         kPickle + root + "." + kPickle + list + "e." + storages;
}

}  // namespace lazymar::testing
