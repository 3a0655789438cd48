#pragma once
/// What the arms of lazymar_bench would ask a GPU to do.

#include "bench/options.h"
#include "core/exit_code.h"

namespace lazymar {

/// Counts kernels, graphs, bytes and FLOPs of every arm by name, with the least time that two cards
/// would take by their data sheets. Prints tables, and writes them to --markdown, and as JSON, step
/// by step, to --json. Throws Error (usage; output).
ExitCode count_launches_of(const BenchOptions& options);

}  // namespace lazymar
