#pragma once
/// What the arms of lazymar_bench cost on paper.

#include "bench/options.h"
#include "core/exit_code.h"

namespace lazymar {

/// Prints a table of FLOPs per model, and writes it to --markdown, and as JSON to --json. Throws
/// Error (usage; output).
ExitCode count_flops(const BenchOptions& options);

}  // namespace lazymar
