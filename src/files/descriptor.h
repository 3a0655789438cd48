#pragma once
/// RAII file descriptors and complete writes.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace lazymar {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  int number() const { return number_; }
  int release();
  /// The result of close(2): some file systems report a failed write only there.
  int close();

 private:
  int number_;
};

/// open(2) with O_CLOEXEC and mode 0666; number() is negative, with errno set, if it fails. A stale
/// handle of a network file system is only a reason to try again.
Descriptor open_file(const std::filesystem::path& path, int flags);

/// Writes everything, despite interruptions and short writes. Throws Error (output) naming
/// `target`.
void write_all(int descriptor, std::span<const std::byte> bytes,
               const std::filesystem::path& target);
void write_all(int descriptor, std::string_view text, const std::filesystem::path& target);

/// For fsync and similar: throws Error (output) naming `target` if the result is not 0.
void check_synced(int result, const std::filesystem::path& target);

}  // namespace lazymar
