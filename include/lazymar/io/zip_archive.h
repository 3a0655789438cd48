#pragma once
/// The directory of a zip archive whose entries are stored, not compressed, as torch.save writes
/// them (APPNOTE 6.3.9, ZIP64 included). Every byte is taken as untrusted.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lazymar {

/// One stored file; the views point into the archive.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;
  uint64_t position = 0;  ///< of its first byte in the archive
  uint32_t crc32 = 0;     ///< as the directory has it; check_crc compares
};

/// Whether these bytes begin like a zip archive.
bool looks_like_zip(std::span<const std::byte> archive);

/// The entries in the directory's order. `file` names the archive in messages. Throws Error (usage)
/// with the byte position for anything but an archive on one disk whose entries are stored,
/// unencrypted, of distinct names and disjoint, and whose local headers agree with the directory.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive, std::string_view file);

/// Reads the whole entry; throws Error (usage) where its CRC-32 is not the directory's.
void check_crc(const ZipEntry& entry, std::string_view file);

}  // namespace lazymar
