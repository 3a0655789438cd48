#pragma once
/// lazymar_convert: converts checkpoints to safetensors, and lists them.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/exit_code.h"
#include "weights/weight_file.h"

namespace lazymar {

/// lazymar_convert's settings: input and output, or list.
struct ConvertOptions {
  std::filesystem::path input, output;
  std::optional<std::filesystem::path> list;
  std::optional<ElementType> dtype;  ///< of floating-point tensors; default: unchanged
  WeightSet weights = WeightSet::kBest;
  bool check_crc = true;
  bool int8 = false;                 ///< the products of a MAR's blocks
  std::optional<int64_t> calibrate;  ///< images to smooth with; needs int8
};

/// Writes options.output, or prints the content of options.list. Of a VAE, only the decoder is
/// written. Throws Error: usage for a file that cannot be used, for NaN and infinite values, and
/// for those that F32 or the new type cannot hold; failed if a listed file holds no tensors, one
/// that cannot be used, or a network that no program takes; output if the result cannot be written.
ExitCode convert(const ConvertOptions& options);

}  // namespace lazymar
