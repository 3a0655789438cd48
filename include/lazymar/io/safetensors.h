#pragma once
/// Reader and writer of the safetensors format (huggingface/safetensors). Every byte of a file is
/// taken as untrusted. No LibTorch here: this is what fuzzers run.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lazymar/io/mapped_file.h"

namespace lazymar {

/// Element types that the format names; those narrower than a byte are refused.
enum class ElementType {
  kBool,
  kU8,
  kI8,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};

/// The format's name of a type ("F32"), and its size in bytes.
std::string_view to_string(ElementType type);
int64_t element_size(ElementType type);

/// One tensor: where its bytes stand, and what they mean (little-endian, row-major, contiguous).
struct TensorView {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// "[2, 3]", for messages.
std::string shape_string(std::span<const int64_t> shape);

/// What a safetensors file says.
struct SafetensorsContent {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// Parses a whole file's bytes; the views point into them. `where` names the file in messages.
/// Throws Error (usage) for anything but an exact file: a header that runs past the end or over
/// 100 MB, that is not JSON or nests deeper than the format, duplicate names, unknown types, shapes
/// whose size overflows or disagrees with the offsets, overlaps, holes, trailing bytes.
SafetensorsContent parse_safetensors(std::span<const std::byte> file, std::string_view where);

/// A memory-mapped file and its content; views stay valid while the object lives.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_->path(); }
  const std::map<std::string, TensorView>& tensors() const { return content_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return content_.metadata; }
  /// Keeps the mapping alive for tensors that point into it.
  const std::shared_ptr<const MappedFile>& mapping() const { return file_; }

 private:
  std::shared_ptr<const MappedFile> file_;
  SafetensorsContent content_;
};

/// Writes a file that parse_safetensors reads back, atomically. Throws Error (output).
void write_safetensors(const std::filesystem::path& path, const SafetensorsContent& content);

}  // namespace lazymar
