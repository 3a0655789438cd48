#include "files/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace lazymar {

Descriptor::~Descriptor() {
  close();
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  close();
  number_ = other.release();
  return *this;
}

int Descriptor::release() {
  return std::exchange(number_, -1);
}

int Descriptor::close() {
  return number_ >= 0 ? ::close(release()) : 0;
}

Descriptor open_file(const std::filesystem::path& path, int flags) {
  constexpr int kTries = 5;
  int number = -1;
  for (int i = 0; i < kTries && number < 0; ++i) {
    number = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (number < 0 && errno != ESTALE && errno != EINTR) {
      break;
    }
  }
  return Descriptor(number);
}

void write_all(int descriptor, std::span<const std::byte> bytes,
               const std::filesystem::path& target) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw output_error(target.string(), ": cannot write: ", std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void write_all(int descriptor, std::string_view text, const std::filesystem::path& target) {
  write_all(descriptor, std::as_bytes(std::span(text.data(), text.size())), target);
}

void check_synced(int result, const std::filesystem::path& target) {
  if (result != 0) {
    throw output_error(target.string(), ": cannot sync: ", std::strerror(errno));
  }
}

}  // namespace lazymar
