#pragma once
/// Small text files, read whole.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace lazymar {

/// The file's text; empty if it cannot be read.
inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Its first line, without the end of line.
inline std::string first_line(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  return text.substr(0, text.find('\n'));
}

}  // namespace lazymar
