#pragma once
/// The files that lazymar_bench was asked for.

#include <string>

#include "bench/options.h"

namespace lazymar {

/// Throws Error (usage; output) for a file that could not be written at the end.
void check_table_files(const BenchOptions& options);

/// Prints a table, and writes it to --markdown and `json` to --json, where those were given. Throws
/// Error (output).
void publish(const BenchOptions& options, const std::string& table, const std::string& json = "");

}  // namespace lazymar
