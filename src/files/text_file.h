#pragma once
/// Small text files, read whole.

#include <cstdint>
#include <filesystem>
#include <string>

namespace lazymar {

/// The file's text from a byte on; empty if it cannot be read.
std::string read_text(const std::filesystem::path& path, int64_t from = 0);

/// Its first line, without the end of line.
inline std::string first_line(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  return text.substr(0, text.find('\n'));
}

}  // namespace lazymar
