#include "files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"
#include "files/missing_path.h"
#include "files/read_ahead.h"

namespace lazymar {

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  // open() on a pipe would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const std::string reason = std::strerror(errno);
    throw usage_error(path.string(), ": cannot open: ", reason, meant_from_here(path));
  }
  struct stat status {};
  void* mapping = nullptr;
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) {
    mapping = ::mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  }
  const int reason = errno;
  ::close(descriptor);
  if (!regular) {
    throw usage_error(path.string(), ": not a regular file");
  }
  if (mapping == MAP_FAILED) {
    throw usage_error(path.string(), ": cannot map: ", std::strerror(reason));
  }
  data_ = static_cast<const std::byte*>(mapping);
  size_ = static_cast<size_t>(status.st_size);
  read_only_what_is_touched(bytes());
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

}  // namespace lazymar
