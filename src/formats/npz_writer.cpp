#include <libdeflate.h>

#include <algorithm>
#include <span>
#include <string>

#include "core/error.h"
#include "formats/npy_header.h"
#include "formats/npz.h"
#include "formats/zip_records.h"

namespace lazymar {
namespace {

constexpr uint16_t kVersion64 = 45;     // of the format: 4.5, the first with ZIP64
constexpr uint32_t kDate = 0x00210000;  // 1980-01-01, 0:00, as numpy.savez writes it

/// Consecutive little-endian values.
class Record {
 public:
  template <typename T>
  Record& add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Record& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string file_name(const std::string& array) {
  return array + ".npy";
}

}  // namespace

void NpzWriter::begin(const std::string& name, ElementType type,
                      const std::vector<int64_t>& shape) {
  end_array();
  const std::string header = npy_header(type, shape);
  remaining_ = header.size() + static_cast<uint64_t>(byte_count(type, shape));
  entries_.push_back({.name = name, .position = position_, .size = remaining_});
  // The checksum is not known yet: it and the sizes follow the data, in 64 bits as the extra says.
  put(Record()
          .add(kZipLocalHeader)
          .add(kVersion64)
          .add(kZipDescriptorFollows)
          .add(uint16_t{0})  // stored
          .add(kDate)
          .add(uint32_t{0})  // CRC-32
          .add(kZipIn64)
          .add(kZipIn64)
          .add(static_cast<uint16_t>(file_name(name).size()))
          .add(uint16_t{20})
          .text(file_name(name))
          .add(kZipExtra64)
          .add(uint16_t{16})
          .add(uint64_t{0})
          .add(uint64_t{0})
          .bytes());
  put_content(std::as_bytes(std::span(header)));
}

void NpzWriter::write(std::span<const std::byte> elements) {
  if (elements.size() > remaining_) {
    throw Error(ErrorKind::kInternal, "npz: more elements than the array's shape has");
  }
  if (!elements.empty()) {  // libdeflate begins its checksum anew if there is no address
    put_content(elements);
  }
}

void NpzWriter::finish() {
  end_array();
  const uint64_t directory = position_;
  for (const Entry& entry : entries_) {
    const bool far = entry.position >= kZipIn64;
    const bool large = entry.size >= kZipIn64;
    Record extra;
    if (large) {
      extra.add(entry.size).add(entry.size);
    }
    if (far) {
      extra.add(entry.position);
    }
    const auto extra_size = static_cast<uint16_t>(extra.bytes().size());
    Record record;
    record.add(kZipDirectoryHeader)
        .add(kVersion64)
        .add(kVersion64)
        .add(kZipDescriptorFollows)
        .add(uint16_t{0})
        .add(kDate)
        .add(entry.crc32)
        .add(large ? kZipIn64 : static_cast<uint32_t>(entry.size))
        .add(large ? kZipIn64 : static_cast<uint32_t>(entry.size))
        .add(static_cast<uint16_t>(file_name(entry.name).size()))
        .add(static_cast<uint16_t>(extra_size == 0 ? 0 : extra_size + 4))
        .add(uint16_t{0})  // comment
        .add(uint16_t{0})  // disk
        .add(uint16_t{0})  // internal attributes
        .add(uint32_t{0})  // external ones
        .add(far ? kZipIn64 : static_cast<uint32_t>(entry.position))
        .text(file_name(entry.name));
    if (extra_size > 0) {
      record.add(kZipExtra64).add(extra_size).text(extra.bytes());
    }
    put(record.bytes());
  }
  put_end(directory);
}

void NpzWriter::put_end(uint64_t directory) {
  const uint64_t size = position_ - directory;
  const uint64_t count = entries_.size();
  if (directory >= kZipIn64 || size >= kZipIn64 || count >= kZipCountIn64) {
    const uint64_t end64 = position_;
    put(Record()
            .add(kZipEnd64)
            .add(kZipEnd64Bytes - 12)  // without this field and the signature
            .add(kVersion64)
            .add(kVersion64)
            .add(uint32_t{0})  // this disk, and that of the directory
            .add(uint32_t{0})
            .add(count)
            .add(count)
            .add(size)
            .add(directory)
            .add(kZipLocator64)
            .add(uint32_t{0})
            .add(end64)
            .add(uint32_t{1})
            .bytes());
  }
  const auto count16 = static_cast<uint16_t>(std::min<uint64_t>(count, kZipCountIn64));
  put(Record()
          .add(kZipEnd)
          .add(uint16_t{0})
          .add(uint16_t{0})
          .add(count16)
          .add(count16)
          .add(static_cast<uint32_t>(std::min<uint64_t>(size, kZipIn64)))
          .add(static_cast<uint32_t>(std::min<uint64_t>(directory, kZipIn64)))
          .add(uint16_t{0})
          .bytes());
}

void NpzWriter::end_array() {
  if (remaining_ > 0) {
    throw Error(ErrorKind::kInternal, concat("npz: ", remaining_, " bytes of array ",
                                             entries_.back().name, " are missing"));
  }
  if (!open_) {
    return;
  }
  const Entry& entry = entries_.back();
  put(Record().add(kZipDescriptor).add(entry.crc32).add(entry.size).add(entry.size).bytes());
  open_ = false;
}

void NpzWriter::put_content(std::span<const std::byte> bytes) {
  open_ = true;
  uint32_t& crc = entries_.back().crc32;
  crc = libdeflate_crc32(crc, bytes.data(), bytes.size());
  remaining_ -= bytes.size();
  sink_(bytes);
  position_ += bytes.size();
}

void NpzWriter::put(const std::string& record) {
  sink_(std::as_bytes(std::span(record)));
  position_ += record.size();
}

}  // namespace lazymar
