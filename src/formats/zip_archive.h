#pragma once
/// The directory of a zip archive (APPNOTE 6.3.9, ZIP64 included), its entries stored, as
/// torch.save and numpy.savez write them, or deflated. Every byte is taken as untrusted.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lazymar {

/// One file; the views point into the archive.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;  ///< as they stand in the archive
  uint64_t position = 0;             ///< of its first byte in the archive
  uint32_t crc32 = 0;                ///< of the file itself, as the directory has it
  bool deflated = false;             ///< bytes are no more than its compressed form
  uint64_t original = 0;             ///< the file's own size, as the directory has it
};

/// Which entries an archive may hold.
enum class ZipMethods { kStored, kStoredAndDeflated };

/// Whether these bytes begin like a zip archive.
bool looks_like_zip(std::span<const std::byte> archive);

/// The entries in the directory's order. `file` names the archive in messages. Throws Error (usage)
/// with the byte position for anything but an archive on one disk whose entries are of these
/// methods, unencrypted, of distinct names and disjoint, and whose local headers agree with the
/// directory. Nothing is inflated yet.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive, std::string_view file,
                                         ZipMethods methods = ZipMethods::kStored);

/// Reads the whole of a stored entry; throws Error (usage) where its CRC-32 is not the directory's.
/// `advice` ends the message.
void check_crc(const ZipEntry& entry, std::string_view file, std::string_view advice = "");

/// The file behind a deflated entry. Throws Error (usage) where it would be longer than `longest`
/// (of which nothing is allocated then, nor where so few bytes cannot become so many), is damaged,
/// or has another size or CRC-32 than the directory says.
std::vector<std::byte> inflate(const ZipEntry& entry, std::string_view file, uint64_t longest);

}  // namespace lazymar
