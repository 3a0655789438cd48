#pragma once
/// lazymar_bench: settings timed against each other.

#include "bench/options.h"
#include "core/error.h"

namespace lazymar {

/// Runs all arms in turns, prints the table and writes what was asked for; files are written anew
/// after each batch size, so that a long run that is stopped leaves what it has.
/// Throws Error (usage; output).
ExitCode bench(const BenchOptions& options);

}  // namespace lazymar
