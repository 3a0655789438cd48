#include "files/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "files/descriptor.h"

namespace lazymar {
namespace {

std::string read_all(int descriptor) {
  std::string text;
  char piece[1 << 14];
  for (ssize_t count; (count = ::read(descriptor, piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace

std::string read_text(const std::filesystem::path& path, int64_t from) {
  const Descriptor file = open_file(path, O_RDONLY);
  // A pipe can be read, too, but only from its beginning.
  if (file.number() < 0 || (from > 0 && ::lseek(file.number(), from, SEEK_SET) != from)) {
    return {};
  }
  return read_all(file.number());
}

std::optional<std::string> read_regular_file(const std::filesystem::path& path, int64_t most) {
  // open() on a pipe would wait for a writer.
  const Descriptor file = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size > most) {
    return std::nullopt;
  }
  return read_all(file.number());
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
