#pragma once
/// The cursor for reading untrusted bytes: every read is checked against the end.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace lazymar {

/// The same bytes as characters.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Text from a file for use in a message: on one line, truncated if long; also in quotes.
std::string one_line(std::string_view text, size_t longest);
std::string in_quotes(std::string_view text);

/// Throws Error (usage): "<file>: byte <position>: <reason>".
template <typename... Parts>
[[noreturn]] void refuse_at(std::string_view file, uint64_t position, Parts&&... reason) {
  throw usage_error(file, ": byte ", position, ": ", std::forward<Parts>(reason)...);
}

/// Reads consecutive little-endian values. Reading past the end throws Error (usage) with the
/// position of the value.
class ByteReader {
 public:
  /// `file` is the name for messages; it and the bytes must outlive the reader. `origin`: where the
  /// bytes begin in the file, added to the positions in messages.
  ByteReader(std::span<const std::byte> bytes, std::string_view file, uint64_t position = 0,
             uint64_t origin = 0)
      : bytes_(bytes), file_(file), position_(position), origin_(origin) {
    if (position > bytes.size()) {
      refuse(position, "is past the end of the file (", bytes.size(), " bytes): truncated?");
    }
  }

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }
  std::string_view file() const { return file_; }

  template <typename T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  /// A number of 1 to 8 bytes.
  uint64_t read_unsigned(size_t size) {
    uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  std::span<const std::byte> take(uint64_t count) {
    if (count > remaining()) {
      refuse(position_, count, " bytes expected, but ", remaining(), " remain: truncated?");
    }
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  std::string_view text(uint64_t length) { return as_text(take(length)); }

  template <typename... Parts>
  [[noreturn]] void refuse(uint64_t position, Parts&&... reason) const {
    refuse_at(file_, origin_ + position, std::forward<Parts>(reason)...);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view file_;
  uint64_t position_;
  uint64_t origin_;
};

}  // namespace lazymar
