#pragma once
/// The records of a zip archive's format (APPNOTE 6.3.9), read one by one: what each must say by
/// itself. Whether they agree is for zip_archive.cpp to find out.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "files/byte_reader.h"

namespace lazymar {

// Signatures, little-endian.
inline constexpr uint32_t kZipLocalHeader = 0x04034b50;
inline constexpr uint32_t kZipDirectoryHeader = 0x02014b50;
inline constexpr uint32_t kZipDescriptor = 0x08074b50;
inline constexpr uint32_t kZipEnd = 0x06054b50;
inline constexpr uint32_t kZipEnd64 = 0x06064b50;
inline constexpr uint32_t kZipLocator64 = 0x07064b50;

inline constexpr uint64_t kZipEnd64Bytes = 56;
inline constexpr uint64_t kZipDirectoryHeaderBytes = 46;    ///< without name, extra and comment
inline constexpr uint16_t kZipExtra64 = 1;                  ///< the ZIP64 extra's identifier
inline constexpr uint32_t kZipIn64 = 0xffffffff;            ///< a field whose value stands there
inline constexpr uint16_t kZipCountIn64 = 0xffff;           ///< or in the ZIP64 end record
inline constexpr uint16_t kZipDescriptorFollows = 1U << 3;  ///< sizes and CRC are behind the data

/// Where the directory stands.
struct ZipDirectory {
  uint64_t position = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

/// What a header of either kind says about an entry.
struct ZipHeader {
  uint64_t position = 0;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc32 = 0;
  uint64_t stored = 0;    ///< bytes in the archive
  uint64_t original = 0;  ///< bytes before compression
  uint64_t local = 0;     ///< position of the local header; of a directory header only
  std::string_view name;
};

/// Reads the end record and, where there is one, the ZIP64 end record. `file` names the archive in
/// messages. Throws Error (usage), as the next two do: no end record as the last thing in the file,
/// several disks, end records that disagree, a directory that does not end where they begin.
ZipDirectory find_zip_directory(std::span<const std::byte> archive, std::string_view file);

/// Reads the directory's entry that begins at the reader's position.
ZipHeader read_zip_directory_header(ByteReader& reader);

/// Reads the local header that belongs to a directory entry; the reader, which begins there, is
/// behind it afterwards.
ZipHeader read_zip_local_header(ByteReader& reader, std::string_view name);

}  // namespace lazymar
