#pragma once
/// Reads the records of a zip archive (APPNOTE 6.3.9) and checks each by itself. zip_archive.cpp
/// checks that they agree.

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
inline constexpr uint32_t kZipIn64 = 0xffffffff;            ///< a field whose value is elsewhere
inline constexpr uint16_t kZipCountIn64 = 0xffff;           ///< or in the ZIP64 end record
inline constexpr uint16_t kZipDescriptorFollows = 1U << 3;  ///< sizes and CRC follow the data

/// Position of the directory.
struct ZipDirectory {
  uint64_t position = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

/// An entry as described by either kind of header.
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

/// Reads the end record and, if there is one, the ZIP64 end record. `file` names the archive in
/// messages. Throws Error (usage), as the next two do, if the file does not end in an end record,
/// spans several disks, has end records that disagree, or a directory that does not end at them.
ZipDirectory find_zip_directory(std::span<const std::byte> archive, std::string_view file);

/// Reads the directory's entry that begins at the reader's position.
ZipHeader read_zip_directory_header(ByteReader& reader);

/// Reads the local header of a directory entry. The reader must be at the header, and is after it
/// afterwards.
ZipHeader read_zip_local_header(ByteReader& reader, std::string_view name);

}  // namespace lazymar
