#pragma once
/// What lazymar_convert does: checkpoints to safetensors, and what is in one.

#include <filesystem>
#include <optional>

#include "core/error.h"
#include "weights/weight_file.h"

namespace lazymar {

/// lazymar_convert's settings: input and output, or list.
struct ConvertOptions {
  std::filesystem::path input, output;
  std::optional<std::filesystem::path> list;
  std::optional<ElementType> dtype;  ///< of floating-point tensors; default: as they are
  WeightSet weights = WeightSet::kBest;
  bool check_crc = true;
};

/// Writes options.output, or prints what options.list holds. Of a VAE the decoder is written.
/// Throws Error: usage for a file that cannot be used, output where it cannot be written.
ExitCode convert(const ConvertOptions& options);

}  // namespace lazymar
