#pragma once
/// How fast the products of a model are in each number type on this machine.

#include "bench/options.h"
#include "core/exit_code.h"

namespace lazymar {

/// Prints a table of GFLOP/s by number type and shape per model, and writes it to --markdown. Runs
/// no model and needs no weights. Throws Error (usage; output).
ExitCode measure_types(const BenchOptions& options);

}  // namespace lazymar
