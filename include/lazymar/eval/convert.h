#pragma once
/// What lazymar_convert does: checkpoints to safetensors, and what is in one.

#include "lazymar/core/error.h"
#include "lazymar/eval/options.h"

namespace lazymar {

/// Writes options.output, or prints what options.list holds. Of a VAE the decoder is written.
/// Throws Error: usage for a file that cannot be used, output where it cannot be written.
ExitCode convert(const ConvertOptions& options);

}  // namespace lazymar
