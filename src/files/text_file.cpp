#include "files/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "files/descriptor.h"

namespace lazymar {

std::string read_text(const std::filesystem::path& path, int64_t from) {
  const Descriptor file = open_file(path, O_RDONLY);
  std::string text;
  char piece[1 << 14];
  // A pipe can be read, too, but only from its beginning.
  if (file.number() < 0 || (from > 0 && ::lseek(file.number(), from, SEEK_SET) != from)) {
    return text;
  }
  for (ssize_t count; (count = ::read(file.number(), piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<size_t>(count));
  }
  return text;
}

std::string value_in(const std::filesystem::path& path, const std::string& key) {
  std::ifstream lines(path);  // /proc/cpuinfo is long, and the first processor is enough
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) {
      const size_t start = line.find_first_not_of(": \t", key.size());
      return start == std::string::npos ? "" : line.substr(start);
    }
  }
  return {};
}

}  // namespace lazymar
