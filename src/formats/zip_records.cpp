#include "formats/zip_records.h"

#include <algorithm>

namespace lazymar {
namespace {

constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kLongestComment = 0xffff;

/// Finds and reads the end records.
class EndReader {
 public:
  EndReader(std::span<const std::byte> archive, std::string_view file)
      : archive_(archive), file_(file) {}

  ZipDirectory read() const {
    const uint64_t end = find_end();
    ByteReader reader = at(end + sizeof kZipEnd);
    const auto disk = reader.read<uint16_t>();
    const auto first_disk = reader.read<uint16_t>();
    const auto entries_here = reader.read<uint16_t>();
    ZipDirectory directory;
    directory.entries = reader.read<uint16_t>();
    directory.size = reader.read<uint32_t>();
    directory.position = reader.read<uint32_t>();
    if (disk != 0 || first_disk != 0 || entries_here != directory.entries) {
      reader.refuse(end, "multi-part zip archives are not supported");
    }
    uint64_t directory_end = end;
    const bool has64 =
        end >= kLocator64Bytes && at(end - kLocator64Bytes).read<uint32_t>() == kZipLocator64;
    if (has64) {
      directory_end = read_end64(end - kLocator64Bytes, directory);
    }
    if (directory.position > directory_end ||
        directory.size != directory_end - directory.position) {
      reader.refuse(end, "a zip directory of ", directory.size, " bytes at byte ",
                    directory.position, " does not end where its end record begins (byte ",
                    directory_end, ")");
    }
    return directory;
  }

 private:
  ByteReader at(uint64_t position) const { return {archive_, file_, position}; }

  /// Only the end record's own comment may follow it in the file.
  uint64_t find_end() const {
    if (archive_.size() < kEndBytes) {
      refuse_at(file_, 0, "too short for a zip archive: truncated?");
    }
    const uint64_t last = archive_.size() - kEndBytes;
    for (uint64_t comment = 0; comment <= std::min(last, kLongestComment); ++comment) {
      ByteReader reader = at(last - comment);
      if (reader.read<uint32_t>() == kZipEnd) {
        ByteReader length = at(last - comment + kEndBytes - sizeof(uint16_t));
        if (length.read<uint16_t>() == comment) {
          return last - comment;
        }
      }
    }
    refuse_at(file_, last, "no end-of-central-directory record: truncated?");
  }

  /// Fills in what the 32-bit end record leaves to the 64-bit one; returns the position of the
  /// latter.
  uint64_t read_end64(uint64_t locator, ZipDirectory& directory) const {
    ByteReader pointer = at(locator + sizeof kZipLocator64);
    const auto disk = pointer.read<uint32_t>();
    const auto position = pointer.read<uint64_t>();
    const auto disks = pointer.read<uint32_t>();
    if (disk != 0 || disks != 1) {
      pointer.refuse(locator, "multi-part zip archives are not supported");
    }
    if (locator < kZipEnd64Bytes || position != locator - kZipEnd64Bytes) {
      pointer.refuse(locator, "the ZIP64 end record is not in front of its locator");
    }
    ByteReader reader = at(position);
    const auto signature = reader.read<uint32_t>();
    const auto record_size = reader.read<uint64_t>();
    reader.read<uint32_t>();  // versions
    const auto this_disk = reader.read<uint32_t>();
    const auto first_disk = reader.read<uint32_t>();
    const auto entries_here = reader.read<uint64_t>();
    ZipDirectory found;
    found.entries = reader.read<uint64_t>();
    found.size = reader.read<uint64_t>();
    found.position = reader.read<uint64_t>();
    if (signature != kZipEnd64 || record_size != kZipEnd64Bytes - 12) {
      reader.refuse(position, "no ZIP64 end record at the position in its locator");
    }
    if (this_disk != 0 || first_disk != 0 || entries_here != found.entries) {
      reader.refuse(position, "multi-part zip archives are not supported");
    }
    const bool agrees =
        (directory.entries == kZipCountIn64 || directory.entries == found.entries) &&
        (directory.size == kZipIn64 || directory.size == found.size) &&
        (directory.position == kZipIn64 || directory.position == found.position);
    if (!agrees) {
      reader.refuse(position, "the two end records of the zip archive disagree");
    }
    directory = found;
    return position;
  }

  std::span<const std::byte> archive_;
  std::string_view file_;
};

/// Takes the 64-bit values that the header's own fields leave to the ZIP64 extra.
void read_extra(ByteReader& reader, uint64_t length, ZipHeader& header, bool local_in64) {
  const uint64_t position = reader.position();
  const bool needed = header.original == kZipIn64 || header.stored == kZipIn64 || local_in64;
  ByteReader extra(reader.take(length), reader.file());
  while (extra.remaining() >= 2 * sizeof(uint16_t)) {
    const auto id = extra.read<uint16_t>();
    const auto size = extra.read<uint16_t>();
    if (size > extra.remaining()) {
      reader.refuse(position, "an extra field of zip entry ", in_quotes(header.name),
                    " runs past its end");
    }
    ByteReader field(extra.take(size), reader.file());
    if (id != kZipExtra64 || !needed) {
      continue;
    }
    uint64_t* const values[] = {header.original == kZipIn64 ? &header.original : nullptr,
                                header.stored == kZipIn64 ? &header.stored : nullptr,
                                local_in64 ? &header.local : nullptr};
    for (uint64_t* value : values) {
      if (value != nullptr && field.remaining() < sizeof *value) {
        reader.refuse(position, "the ZIP64 field of zip entry ", in_quotes(header.name),
                      " is too short");
      }
      if (value != nullptr) {
        *value = field.read<uint64_t>();
      }
    }
    return;
  }
  if (needed) {
    reader.refuse(position, "zip entry ", in_quotes(header.name), " has no ZIP64 field");
  }
}

}  // namespace

ZipDirectory find_zip_directory(std::span<const std::byte> archive, std::string_view file) {
  return EndReader(archive, file).read();
}

ZipHeader read_zip_directory_header(ByteReader& reader) {
  ZipHeader header;
  header.position = reader.position();
  if (reader.read<uint32_t>() != kZipDirectoryHeader) {
    reader.refuse(header.position, "no zip directory entry where one is expected");
  }
  reader.read<uint32_t>();  // versions
  header.flags = reader.read<uint16_t>();
  header.method = reader.read<uint16_t>();
  reader.read<uint32_t>();  // time and date
  header.crc32 = reader.read<uint32_t>();
  header.stored = reader.read<uint32_t>();
  header.original = reader.read<uint32_t>();
  const auto name_length = reader.read<uint16_t>();
  const auto extra_length = reader.read<uint16_t>();
  const auto comment_length = reader.read<uint16_t>();
  const auto disk = reader.read<uint16_t>();
  reader.take(6);  // attributes
  header.local = reader.read<uint32_t>();
  header.name = reader.text(name_length);
  if (disk != 0) {
    reader.refuse(header.position, "multi-part zip archives are not supported");
  }
  read_extra(reader, extra_length, header, header.local == kZipIn64);
  reader.take(comment_length);
  return header;
}

ZipHeader read_zip_local_header(ByteReader& reader, std::string_view name) {
  ZipHeader local;
  local.position = reader.position();
  if (reader.read<uint32_t>() != kZipLocalHeader) {
    reader.refuse(local.position, "no local header of zip entry ", in_quotes(name));
  }
  reader.read<uint16_t>();  // version
  local.flags = reader.read<uint16_t>();
  local.method = reader.read<uint16_t>();
  reader.read<uint32_t>();  // time and date
  local.crc32 = reader.read<uint32_t>();
  local.stored = reader.read<uint32_t>();
  local.original = reader.read<uint32_t>();
  const auto name_length = reader.read<uint16_t>();
  const auto extra_length = reader.read<uint16_t>();
  local.name = reader.text(name_length);
  read_extra(reader, extra_length, local, false);
  return local;
}

}  // namespace lazymar
