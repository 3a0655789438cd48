#pragma once
/// The directory of a zip archive (APPNOTE 6.3.9, ZIP64 included), its entries stored, as
/// torch.save and numpy.savez write them, or deflated. Every byte is untrusted.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lazymar {

/// One file; the views point into the archive.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;  ///< as in the archive
  uint64_t position = 0;             ///< of its first byte in the archive
  uint32_t crc32 = 0;                ///< of the file, from the directory
  bool deflated = false;             ///< bytes are its compressed form
  uint64_t original = 0;             ///< the file's size, from the directory
};

/// Which entries an archive may hold.
enum class ZipMethods { kStored, kStoredAndDeflated };

/// Whether these bytes begin like a zip archive.
bool looks_like_zip(std::span<const std::byte> archive);

/// The entries in the directory's order. `file` names the archive in messages. The archive must be
/// on one disk, and its local headers must agree with the directory. Entries must be of these
/// methods, unencrypted, of distinct names and disjoint. Otherwise throws Error (usage) with the
/// byte position. Nothing is inflated yet.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive, std::string_view file,
                                         ZipMethods methods = ZipMethods::kStored);

/// Reads a whole stored entry; throws Error (usage) if its CRC-32 differs from the directory's.
/// `advice` is appended to the message.
void check_crc(const ZipEntry& entry, std::string_view file, std::string_view advice = "");

/// Inflates a deflated entry. Throws Error (usage), before it allocates anything, if the result
/// would be longer than `longest` or so few bytes cannot inflate to its size. Throws it as well if
/// the entry is damaged or differs from the directory in size or CRC-32.
std::vector<std::byte> inflate(const ZipEntry& entry, std::string_view file, uint64_t longest);

}  // namespace lazymar
