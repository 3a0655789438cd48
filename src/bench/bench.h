#pragma once
/// lazymar_bench: times settings against each other.

#include "bench/options.h"
#include "core/error.h"
#include "core/exit_code.h"

namespace lazymar {

/// Runs all arms in turns, prints the table and writes the requested files. Files are rewritten
/// after each batch size, so that a stopped run leaves its results. Throws Error (usage; output).
ExitCode bench(const BenchOptions& options);

}  // namespace lazymar
