#include "formats/zip_archive.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <unordered_set>
#include <utility>

#include "files/byte_reader.h"
#include "files/read_ahead.h"
#include "formats/zip_records.h"

namespace lazymar {
namespace {

constexpr uint16_t kEncrypted = 1U << 0 | 1U << 6 | 1U << 13;
constexpr uint16_t kDeflated = 8;
constexpr uint64_t kHighestRatio = 1032;  // deflate's: a match of 258 bytes in two bits

/// Reads every entry's two headers and checks that they are consistent.
class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> archive, std::string_view file, ZipMethods methods)
      : archive_(archive), file_(file), methods_(methods) {}

  std::vector<ZipEntry> read() {
    const ZipDirectory directory = find_zip_directory(archive_, file_);
    ByteReader reader(archive_.first(directory.position + directory.size), file_,
                      directory.position);
    if (directory.entries > directory.size / kZipDirectoryHeaderBytes) {
      reader.refuse(directory.position, "the zip directory has room for ",
                    directory.size / kZipDirectoryHeaderBytes, " entries, ", directory.entries,
                    " are declared");
    }
    read_ahead(archive_.subspan(directory.position, directory.size));
    std::vector<ZipEntry> entries;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      entries.push_back(read_entry(reader, directory.position));
    }
    if (reader.remaining() > 0) {
      reader.refuse(reader.position(), "bytes after the last entry of the zip directory");
    }
    check_overlaps();
    return entries;
  }

 private:
  ByteReader at(uint64_t position) const { return {archive_, file_, position}; }

  ZipEntry read_entry(ByteReader& reader, uint64_t directory) {
    const ZipHeader header = read_zip_directory_header(reader);
    const auto refuse = [&](auto&&... reason) {
      reader.refuse(header.position, "zip entry ", in_quotes(header.name), reason...);
    };
    if ((header.flags & kEncrypted) != 0) {
      refuse(" is encrypted");
    }
    const bool deflated = header.method == kDeflated && methods_ == ZipMethods::kStoredAndDeflated;
    if (header.method != 0 && !deflated) {
      refuse(" is compressed (method ", header.method, "), which is not supported");
    }
    if (!deflated && header.stored != header.original) {
      refuse(" is stored but has two sizes: ", header.stored, " and ", header.original);
    }
    if (!names_.insert(header.name).second) {
      refuse(" occurs twice");
    }
    const uint64_t begin = check_local_header(header);
    if (begin > directory || header.stored > directory - begin) {
      refuse(" of ", header.stored, " bytes at byte ", begin, " runs into the zip directory (byte ",
             directory, ")");
    }
    ranges_.push_back({header.local, begin + header.stored});
    return {.name = header.name,
            .bytes = archive_.subspan(begin, header.stored),
            .position = begin,
            .crc32 = header.crc32,
            .deflated = deflated,
            .original = header.original};
  }

  /// Position of the entry's data. Readers that trust either of the two headers must see the same
  /// data.
  uint64_t check_local_header(const ZipHeader& entry) const {
    ByteReader reader = at(entry.local);
    const ZipHeader local = read_zip_local_header(reader, entry.name);
    const bool later = (entry.flags & kZipDescriptorFollows) != 0;
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
  ZipMethods methods_;
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
  return signature == kZipLocalHeader;
}

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive, std::string_view file,
                                         ZipMethods methods) {
  return DirectoryReader(archive, file, methods).read();
}

void check_crc(const ZipEntry& entry, std::string_view file, std::string_view advice) {
  const uint32_t actual = libdeflate_crc32(0, entry.bytes.data(), entry.bytes.size());
  if (actual != entry.crc32) {
    refuse_at(file, entry.position, "zip entry ", in_quotes(entry.name),
              " is damaged: CRC-32 mismatch", advice);
  }
}

std::vector<std::byte> inflate(const ZipEntry& entry, std::string_view file, uint64_t longest) {
  const auto refuse = [&](auto&&... reason) {
    refuse_at(file, entry.position, "zip entry ", in_quotes(entry.name), reason...);
  };
  if (entry.original > longest) {
    refuse(" is compressed and has ", entry.original, " bytes; ", longest,
           " is the limit; store it uncompressed (numpy.savez, not savez_compressed)");
  }
  if (entry.original / kHighestRatio > entry.bytes.size()) {
    refuse(" cannot be inflated to ", entry.original, " bytes from ", entry.bytes.size());
  }
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (inflater == nullptr) {
    throw std::bad_alloc();
  }
  std::vector<std::byte> content(entry.original);
  size_t used = 0;
  // Without a place for the actual size, anything but exactly that many bytes is an error.
  const auto result =
      libdeflate_deflate_decompress_ex(inflater.get(), entry.bytes.data(), entry.bytes.size(),
                                       content.data(), content.size(), &used, nullptr);
  if (result != LIBDEFLATE_SUCCESS || used != entry.bytes.size()) {
    refuse(" is damaged: it cannot be inflated to ", entry.original, " bytes");
  }
  if (libdeflate_crc32(0, content.data(), content.size()) != entry.crc32) {
    refuse(" is damaged: CRC-32 mismatch");
  }
  return content;
}

}  // namespace lazymar
