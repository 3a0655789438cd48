#include "files/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>

#include "core/error.h"
#include "files/descriptor.h"

namespace lazymar {
namespace {

/// Removes the temporary file unless it was renamed.
struct TemporaryFile {
  std::filesystem::path path;
  Descriptor descriptor;
  bool keep = false;

  ~TemporaryFile() {
    if (!keep) {
      ::unlink(path.c_str());
    }
  }
};

}  // namespace

const std::string& process_token() {
  static const std::string token = [] {
    std::random_device random;
    return concat(::getpid(), "-", random(), "-", random());
  }();
  return token;
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes,
                           const std::filesystem::path& scratch) {
  write_file_atomically(
      path, [&](const ByteSink& write) { write(bytes); }, scratch);
}

void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(const ByteSink&)>& produce,
                           const std::filesystem::path& scratch) {
  static std::atomic<uint64_t> counter{0};
  TemporaryFile file{scratch / concat(".", path.filename().string(), ".", process_token(), ".",
                                      counter.fetch_add(1), ".tmp"),
                     Descriptor()};
  file.descriptor =
      Descriptor(::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.descriptor.number() < 0) {
    file.keep = true;  // not ours to remove
    throw output_error(path.string(), ": cannot create: ", std::strerror(errno));
  }
  produce(
      [&](std::span<const std::byte> bytes) { write_all(file.descriptor.number(), bytes, path); });
  if (file.descriptor.close() != 0) {
    throw output_error(path.string(), ": cannot write: ", std::strerror(errno));
  }
  if (::rename(file.path.c_str(), path.c_str()) != 0) {
    throw output_error(path.string(), ": cannot rename into place: ", std::strerror(errno));
  }
  file.keep = true;
}

void write_text_atomically(const std::filesystem::path& path, std::string_view text) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())), folder);
}

}  // namespace lazymar
