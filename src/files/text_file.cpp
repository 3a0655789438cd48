#include "files/text_file.h"

#include <fcntl.h>
#include <unistd.h>

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

}  // namespace lazymar
