#pragma once
/// Tar archives (ustar, POSIX.1-1988) of regular files, in memory: for file systems that count
/// files. Owner, mode and time are constants, so that equal files make equal archives.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lazymar {

class TarWriter {
 public:
  /// `name`: up to 99 characters. Throws Error (internal) for a longer one.
  void add(const std::string& name, std::span<const std::byte> content);
  /// The archive with its end mark; nothing can be added afterwards.
  std::vector<std::byte> finish();

 private:
  std::vector<std::byte> bytes_;
};

/// One regular file of an archive.
struct TarEntry {
  std::string name;
  std::span<const std::byte> content;  ///< points into the archive
};

/// Reads an archive of TarWriter. Throws Error (usage) with the position of the damage; `source`
/// names the archive in messages.
std::vector<TarEntry> read_tar(std::span<const std::byte> archive, const std::string& source);

}  // namespace lazymar
