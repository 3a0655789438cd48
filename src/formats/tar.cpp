#include "formats/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "core/error.h"
#include "files/byte_reader.h"

namespace lazymar {
namespace {

constexpr size_t kBlock = 512;

/// A header's fields, as POSIX lays them out.
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char owner[32];
  char group[32];
  char device[16];
  char prefix[155];  ///< before the name
  char rest[12];
};
static_assert(sizeof(Header) == kBlock);

// Kinds of members. Those that are not files only describe or connect files.
constexpr char kFile = '0';
constexpr char kOldFile = '\0';
constexpr char kFolder = '5';
constexpr char kPax = 'x';       // text about the next file
constexpr char kPaxOfAll = 'g';  // text about all files
constexpr char kLongName = 'L';  // GNU: the next file's name
constexpr char kKnown[] = {kFile, kOldFile, kFolder, kPax, kPaxOfAll, kLongName};

/// Sum of all bytes, those of the checksum itself taken as blanks.
unsigned checksum_of(Header header) {
  std::fill(std::begin(header.checksum), std::end(header.checksum), ' ');
  std::array<unsigned char, kBlock> bytes{};
  std::memcpy(bytes.data(), &header, kBlock);
  unsigned sum = 0;
  for (const unsigned char byte : bytes) {
    sum += byte;
  }
  return sum;
}

template <size_t size>
void put_octal(char (&field)[size], uint64_t value) {
  std::snprintf(field, size, "%0*llo", static_cast<int>(size) - 1,
                static_cast<unsigned long long>(value));
}

template <size_t size>
std::optional<uint64_t> octal(const char (&field)[size]) {
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(field, field + size, value, 8);
  if (status != std::errc() || (end != field + size && *end != '\0' && *end != ' ')) {
    return std::nullopt;
  }
  return value;
}

template <size_t size>
std::string text(const char (&field)[size]) {
  return {field, ::strnlen(field, size)};
}

/// The name, behind POSIX's prefix; GNU's headers, of another magic, have none.
std::string name_of(const Header& header) {
  const bool posix = std::memcmp(header.magic, "ustar", sizeof header.magic) == 0;
  const std::string prefix = posix ? text(header.prefix) : "";
  return (prefix.empty() ? "" : prefix + "/") + text(header.name);
}

/// The value of a pax record "<length> path=<name>\n" among others; empty without one.
std::string pax_path(std::span<const std::byte> content) {
  std::string_view left = as_text(content);
  constexpr std::string_view kPath = "path=";
  while (!left.empty()) {
    size_t length = 0;
    const auto [end, status] = std::from_chars(left.data(), left.data() + left.size(), length);
    const auto digits = static_cast<size_t>(end - left.data());
    if (status != std::errc() || length > left.size() || length < digits + 2) {
      return {};
    }
    const std::string_view record = left.substr(digits + 1, length - digits - 2);
    if (record.starts_with(kPath)) {
      return std::string(record.substr(kPath.size()));
    }
    left.remove_prefix(length);
  }
  return {};
}

size_t padding(size_t size) {
  return (kBlock - size % kBlock) % kBlock;
}

}  // namespace

void TarWriter::add(const std::string& name, std::span<const std::byte> content) {
  Header header{};
  if (name.size() >= sizeof header.name) {
    throw Error(ErrorKind::kInternal, concat("tar: the name ", name, " is too long"));
  }
  std::copy(name.begin(), name.end(), header.name);
  put_octal(header.mode, 0644);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, content.size());
  put_octal(header.mtime, 0);
  header.type = '0';
  std::memcpy(header.magic, "ustar", sizeof header.magic);
  std::memcpy(header.version, "00", sizeof header.version);
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", checksum_of(header));
  header.checksum[7] = ' ';
  const auto* const start = reinterpret_cast<const std::byte*>(&header);
  bytes_.insert(bytes_.end(), start, start + kBlock);
  bytes_.insert(bytes_.end(), content.begin(), content.end());
  bytes_.resize(bytes_.size() + padding(content.size()));
}

std::vector<std::byte> TarWriter::finish() {
  bytes_.resize(bytes_.size() + 2 * kBlock);
  return std::move(bytes_);
}

std::vector<TarEntry> read_tar(std::span<const std::byte> archive, const std::string& source) {
  std::vector<TarEntry> entries;
  std::string given;  // the next file's name, by a member before it
  size_t position = 0;
  const auto refuse = [&](const char* reason) {
    return usage_error(source, ": byte ", position, ": ", reason);
  };
  while (true) {
    if (archive.size() - position < kBlock) {
      throw refuse("truncated tar archive");
    }
    Header header{};
    std::memcpy(&header, archive.data() + position, kBlock);
    if (header.name[0] == '\0') {
      return entries;
    }
    const auto sum = octal(header.checksum);
    const auto size = octal(header.size);
    if (!sum || *sum != checksum_of(header)) {
      throw refuse("damaged tar header");
    }
    const char type = header.type;
    if (std::find(std::begin(kKnown), std::end(kKnown), type) == std::end(kKnown)) {
      throw refuse("a member that is no plain file (a link or a device); pack files only");
    }
    position += kBlock;
    const size_t left = archive.size() - position;
    if (!size || *size > left || padding(*size) > left - *size) {
      throw refuse("a file extends past the end of the tar archive");
    }
    const std::span<const std::byte> content = archive.subspan(position, *size);
    if (type == kLongName) {
      given = as_text(content);
      given.resize(::strnlen(given.data(), given.size()));
    } else if (type == kPax) {
      given = pax_path(content);
    } else if (type == kFile || type == kOldFile) {
      entries.push_back({given.empty() ? name_of(header) : given, content});
    }
    if (type == kFile || type == kOldFile || type == kFolder) {
      given.clear();
    }
    position += *size + padding(*size);
  }
}

}  // namespace lazymar
