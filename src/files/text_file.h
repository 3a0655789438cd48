#pragma once
/// Small text files, read whole.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/text.h"

namespace lazymar {

/// The file's text from a byte on; empty if it cannot be read.
std::string read_text(const std::filesystem::path& path, int64_t from = 0);

/// The text of a file that a stranger may have made; nothing if it cannot be read, is a link or no
/// regular file, or has more than `most` bytes.
std::optional<std::string> read_regular_file(const std::filesystem::path& path, int64_t most);

/// Its first line, without the end of line.
inline std::string first_line(const std::filesystem::path& path) {
  return before_newline(read_text(path));
}

/// The value in the first line "key : value" or "key:\tvalue" that begins with `key`; empty if
/// there is none. For files of /proc.
std::string value_in(const std::filesystem::path& path, const std::string& key);

}  // namespace lazymar
