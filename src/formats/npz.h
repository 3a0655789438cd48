#pragma once
/// NumPy's arrays in files: .npy (format versions 1 to 3 of numpy/lib/format.py), and .npz, a zip
/// archive of them, stored or deflated. Every byte is untrusted. No LibTorch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/atomic_file.h"
#include "files/mapped_file.h"
#include "formats/weight_content.h"
#include "formats/zip_archive.h"

namespace lazymar {

/// An array, its elements without gaps.
struct NpyArray {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  bool column_major = false;         ///< the first index runs fastest ("fortran_order")
  std::span<const std::byte> bytes;  ///< all elements, nothing else
  bool big_endian = false;
};

/// Parses a whole .npy. `file` and `position` (of its first byte in the file) are for messages.
/// Throws Error (usage) with the byte position unless the header has the three known keys and a
/// known type, and exactly the bytes of its shape follow. Known types are floats and integers in
/// either byte order and bool, without Python objects.
NpyArray parse_npy(std::span<const std::byte> npy, std::string_view file, uint64_t position = 0);

/// Reads one element of an array's type and byte order as a number; nullptr for bool and bf16.
using ElementReader = double (*)(const std::byte*);
ElementReader element_reader(const NpyArray& array);

/// Distances of neighbours along each dimension, in elements.
std::vector<int64_t> npy_strides(const NpyArray& array);

/// The elements in row-major order. Throws Error (usage), naming `what`, for types other than
/// floats and integers.
std::vector<double> to_doubles(const NpyArray& array, std::string_view what);

/// The largest array that is inflated, because it is held in memory. Stored arrays are mapped.
inline constexpr uint64_t kLongestInflated = uint64_t{2} << 30;

/// The arrays of an .npz by name ("arr_0", without ".npy"); a bare .npy is the one array "arr_0".
/// The bytes must outlive it.
class NpzArchive {
 public:
  /// Throws Error (usage), see read_zip_directory().
  NpzArchive(std::span<const std::byte> archive, std::string file);

  std::vector<std::string> names() const;
  /// The names besides these, in quotes, on one line and cut; empty if there are none.
  std::string other_names(std::span<const std::string_view> used) const;
  bool has(std::string_view name) const;
  /// Its CRC-32 is checked at the first use; a deflated array is inflated then and kept. Valid
  /// while this object exists. Throws Error (usage) if there is no array of that name (listing the
  /// names), or if it is damaged or inflates to more than kLongestInflated. Not thread-safe.
  NpyArray array(std::string_view name) const;

 private:
  std::string file_;
  std::map<std::string, ZipEntry, std::less<>> entries_;
  mutable std::map<std::string, NpyArray, std::less<>> arrays_;
  mutable std::vector<std::vector<std::byte>> inflated_;
};

/// The same for a memory-mapped file: of a large array, only the accessed parts are read.
class NpzFile {
 public:
  /// Throws Error (usage) if the file cannot be read.
  explicit NpzFile(const std::filesystem::path& path)
      : file_(path), archive_(checked(file_), path.string()) {}

  const std::filesystem::path& path() const { return file_.path(); }
  const NpzArchive& arrays() const { return archive_; }

 private:
  /// Its bytes; throws Error (usage) for what a failed download leaves.
  static std::span<const std::byte> checked(const MappedFile& file);

  MappedFile file_;
  NpzArchive archive_;
};

/// Writes an .npz piece by piece, in ZIP64 wherever a size may need it, uncompressed as
/// numpy.savez does: arrays of any length take no memory. The same arrays make the same bytes.
///
///   write_file_atomically(path, [&](const ByteSink& sink) {
///     NpzWriter npz(sink);
///     npz.begin("arr_0", ElementType::kU8, {n, height, width, 3});
///     for (...) npz.write(image);
///     npz.finish();
///   }, scratch);
class NpzWriter {
 public:
  explicit NpzWriter(ByteSink sink) : sink_(std::move(sink)) {}

  /// Begins the next array, row-major, and ends the one before.
  void begin(const std::string& name, ElementType type, const std::vector<int64_t>& shape);
  /// Its next elements. Throws Error (internal) if there are more than the shape has.
  void write(std::span<const std::byte> elements);
  /// Writes the directory; nothing can be added afterwards. Throws Error (internal), as begin()
  /// does, if an array is incomplete.
  void finish();

 private:
  struct Entry {
    std::string name;
    uint64_t position = 0;  ///< of its local header
    uint64_t size = 0;      ///< of the .npy
    uint32_t crc32 = 0;
  };
  void put(const std::string& record);
  void put_content(std::span<const std::byte> bytes);
  void end_array();
  void put_end(uint64_t directory);

  ByteSink sink_;
  std::vector<Entry> entries_;
  uint64_t position_ = 0;   ///< bytes written so far
  uint64_t remaining_ = 0;  ///< bytes missing in the current array
  bool open_ = false;       ///< its data descriptor is still to come
};

}  // namespace lazymar
