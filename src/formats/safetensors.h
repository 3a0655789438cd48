#pragma once
/// Reader and writer of the safetensors format (huggingface/safetensors). Every byte of a file is
/// untrusted. No LibTorch here: this is what fuzzers run.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/weight_content.h"

namespace lazymar {

/// Parses a whole file's bytes; the views point into them. `where` names the file in messages.
/// Throws Error (usage) for anything but an exact file. The header must not run past the end,
/// exceed 100 MB or be nested deeper than the format, and must be JSON. Duplicate names, unknown
/// types, overlaps, gaps and trailing bytes are refused, and so are shapes whose size overflows or
/// disagrees with the offsets.
WeightContent parse_safetensors(std::span<const std::byte> file, std::string_view where);

/// A tensor to be written: its bytes are requested in turn, and are not used after the next
/// tensor's are requested.
struct TensorSource {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::function<std::span<const std::byte>()> bytes;
};

/// Writes a file that parse_safetensors reads back, atomically. Throws Error (output).
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// The same for tensors in memory, without strides.
void write_safetensors(const std::filesystem::path& path, const WeightContent& content);

}  // namespace lazymar
