#include "lazymar/io/zip_archive.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "lazymar/io/byte_reader.h"

namespace lazymar {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kDirectoryHeaderBytes = 46;
constexpr uint64_t kLongestComment = 0xffff;

constexpr uint16_t kEncrypted = 1U << 0 | 1U << 6 | 1U << 13;
constexpr uint16_t kDescriptorFollows = 1U << 3;  // sizes and CRC stand behind the data
constexpr uint16_t kExtra64 = 1;
constexpr uint32_t kIn64 = 0xffffffff;  // a 32-bit field whose value stands in the ZIP64 extra
constexpr uint16_t kCountIn64 = 0xffff;

/// Where the directory stands.
struct Directory {
  uint64_t position = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

/// What a header of either kind says about an entry.
struct Header {
  uint64_t position = 0;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc32 = 0;
  uint64_t stored = 0;    ///< bytes in the archive
  uint64_t original = 0;  ///< bytes before compression
  uint64_t local = 0;     ///< position of the local header
  std::string_view name;
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> archive, std::string_view file)
      : archive_(archive), file_(file) {}

  std::vector<ZipEntry> read() {
    const Directory directory = find_directory();
    ByteReader reader(archive_.first(directory.position + directory.size), file_,
                      directory.position);
    if (directory.entries > directory.size / kDirectoryHeaderBytes) {
      reader.refuse(directory.position, "the zip directory has room for ",
                    directory.size / kDirectoryHeaderBytes, " entries, ", directory.entries,
                    " are declared");
    }
    std::vector<ZipEntry> entries;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      entries.push_back(read_entry(reader, directory.position));
    }
    if (reader.remaining() > 0) {
      reader.refuse(reader.position(), "the zip directory goes on after its last entry");
    }
    check_overlaps();
    return entries;
  }

 private:
  ByteReader at(uint64_t position) const { return {archive_, file_, position}; }

  /// The end record is the last thing in the file but for its own comment.
  uint64_t find_end() const {
    if (archive_.size() < kEndBytes) {
      refuse_at(file_, 0, "too short for a zip archive: truncated?");
    }
    const uint64_t last = archive_.size() - kEndBytes;
    for (uint64_t comment = 0; comment <= std::min(last, kLongestComment); ++comment) {
      ByteReader reader = at(last - comment);
      if (reader.read<uint32_t>() == kEnd) {
        ByteReader length = at(last - comment + kEndBytes - sizeof(uint16_t));
        if (length.read<uint16_t>() == comment) {
          return last - comment;
        }
      }
    }
    refuse_at(file_, last, "no end of a zip directory: truncated?");
  }

  Directory find_directory() const {
    const uint64_t end = find_end();
    ByteReader reader = at(end + sizeof kEnd);
    const auto disk = reader.read<uint16_t>();
    const auto first_disk = reader.read<uint16_t>();
    const auto entries_here = reader.read<uint16_t>();
    Directory directory;
    directory.entries = reader.read<uint16_t>();
    directory.size = reader.read<uint32_t>();
    directory.position = reader.read<uint32_t>();
    if (disk != 0 || first_disk != 0 || entries_here != directory.entries) {
      reader.refuse(end, "a zip archive in several parts");
    }
    uint64_t directory_end = end;
    const bool has64 =
        end >= kLocator64Bytes && at(end - kLocator64Bytes).read<uint32_t>() == kLocator64;
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

  /// Replaces what the 32-bit end record left to the 64-bit one; returns where that one stands.
  uint64_t read_end64(uint64_t locator, Directory& directory) const {
    ByteReader pointer = at(locator + sizeof kLocator64);
    const auto disk = pointer.read<uint32_t>();
    const auto position = pointer.read<uint64_t>();
    const auto disks = pointer.read<uint32_t>();
    if (disk != 0 || disks != 1) {
      pointer.refuse(locator, "a zip archive in several parts");
    }
    if (locator < kEnd64Bytes || position != locator - kEnd64Bytes) {
      pointer.refuse(locator, "the ZIP64 end record does not stand before its locator");
    }
    ByteReader reader = at(position);
    const auto signature = reader.read<uint32_t>();
    const auto record_size = reader.read<uint64_t>();
    reader.read<uint32_t>();  // versions
    const auto this_disk = reader.read<uint32_t>();
    const auto first_disk = reader.read<uint32_t>();
    const auto entries_here = reader.read<uint64_t>();
    Directory found;
    found.entries = reader.read<uint64_t>();
    found.size = reader.read<uint64_t>();
    found.position = reader.read<uint64_t>();
    if (signature != kEnd64 || record_size != kEnd64Bytes - 12) {
      reader.refuse(position, "no ZIP64 end record where its locator points");
    }
    if (this_disk != 0 || first_disk != 0 || entries_here != found.entries) {
      reader.refuse(position, "a zip archive in several parts");
    }
    const bool agrees = (directory.entries == kCountIn64 || directory.entries == found.entries) &&
                        (directory.size == kIn64 || directory.size == found.size) &&
                        (directory.position == kIn64 || directory.position == found.position);
    if (!agrees) {
      reader.refuse(position, "the two end records of the zip archive disagree");
    }
    directory = found;
    return position;
  }

  ZipEntry read_entry(ByteReader& reader, uint64_t directory) {
    const Header header = read_directory_header(reader);
    const auto refuse = [&](auto&&... reason) {
      reader.refuse(header.position, "zip entry ", in_quotes(header.name), reason...);
    };
    if ((header.flags & kEncrypted) != 0) {
      refuse(" is encrypted");
    }
    if (header.method != 0) {
      refuse(" is compressed (method ", header.method, "); torch.save stores");
    }
    if (header.stored != header.original) {
      refuse(" is stored and has two sizes: ", header.stored, " and ", header.original);
    }
    if (!names_.insert(header.name).second) {
      refuse(" is there twice");
    }
    const uint64_t begin = check_local_header(header);
    if (begin > directory || header.stored > directory - begin) {
      refuse(" of ", header.stored, " bytes at byte ", begin, " runs into the zip directory (byte ",
             directory, ")");
    }
    ranges_.push_back({header.local, begin + header.stored});
    return {header.name, archive_.subspan(begin, header.stored), begin, header.crc32};
  }

  static Header read_directory_header(ByteReader& reader) {
    Header header;
    header.position = reader.position();
    if (reader.read<uint32_t>() != kDirectoryHeader) {
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
      reader.refuse(header.position, "a zip archive in several parts");
    }
    read_extra(reader, extra_length, header, header.local == kIn64);
    reader.take(comment_length);
    return header;
  }

  /// Takes the 64-bit values that the header's own fields leave to the ZIP64 extra.
  static void read_extra(ByteReader& reader, uint64_t length, Header& header, bool local_in64) {
    const uint64_t position = reader.position();
    const bool needed = header.original == kIn64 || header.stored == kIn64 || local_in64;
    ByteReader extra(reader.take(length), reader.file());
    while (extra.remaining() >= 2 * sizeof(uint16_t)) {
      const auto id = extra.read<uint16_t>();
      const auto size = extra.read<uint16_t>();
      if (size > extra.remaining()) {
        reader.refuse(position, "an extra field of zip entry ", in_quotes(header.name),
                      " runs past its end");
      }
      ByteReader field(extra.take(size), reader.file());
      if (id != kExtra64 || !needed) {
        continue;
      }
      uint64_t* const values[] = {header.original == kIn64 ? &header.original : nullptr,
                                  header.stored == kIn64 ? &header.stored : nullptr,
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
      reader.refuse(position, "zip entry ", in_quotes(header.name), " lacks its ZIP64 field");
    }
  }

  /// Where the entry's data begin. A reader that trusts one header must see what a reader that
  /// trusts the other one sees.
  uint64_t check_local_header(const Header& entry) const {
    ByteReader reader = at(entry.local);
    Header local;
    local.position = entry.local;
    if (reader.read<uint32_t>() != kLocalHeader) {
      reader.refuse(entry.local, "no local header of zip entry ", in_quotes(entry.name));
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
    const bool later = (entry.flags & kDescriptorFollows) != 0;
    const bool nothing_yet = later && local.crc32 == 0 && local.stored == 0 && local.original == 0;
    const bool same_content = local.crc32 == entry.crc32 && local.stored == entry.stored &&
                              local.original == entry.original;
    if (local.name != entry.name || local.flags != entry.flags || local.method != entry.method ||
        !(same_content || nothing_yet)) {
      reader.refuse(entry.local, "the local header of zip entry ", in_quotes(entry.name),
                    " disagrees with the directory");
    }
    return reader.position();
  }

  void check_overlaps() {
    std::sort(ranges_.begin(), ranges_.end());
    for (size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].first < ranges_[i - 1].second) {
        refuse_at(file_, ranges_[i].first, "zip entries overlap");
      }
    }
  }

  std::span<const std::byte> archive_;
  std::string_view file_;
  std::unordered_set<std::string_view> names_;
  std::vector<std::pair<uint64_t, uint64_t>> ranges_;
};

}  // namespace

bool looks_like_zip(std::span<const std::byte> archive) {
  uint32_t signature = 0;
  if (archive.size() < sizeof signature) {
    return false;
  }
  std::memcpy(&signature, archive.data(), sizeof signature);
  return signature == kLocalHeader;
}

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive,
                                         std::string_view file) {
  return DirectoryReader(archive, file).read();
}

void check_crc(const ZipEntry& entry, std::string_view file) {
  const uint32_t actual = libdeflate_crc32(0, entry.bytes.data(), entry.bytes.size());
  if (actual != entry.crc32) {
    refuse_at(file, entry.position, "zip entry ", in_quotes(entry.name),
              " is damaged: its CRC-32 is not the recorded one (--no_crc skips this check)");
  }
}

}  // namespace lazymar
