#pragma once
/// lazymar_compare: runs against a baseline, as JSON and as a report.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "lazymar/core/error.h"

namespace lazymar {

struct CompareOptions {
  std::vector<std::filesystem::path> runs;  ///< the first one is the baseline
  std::filesystem::path output_dir = "comparison";
  int64_t pairs = 20;   ///< of each run, shown in the report
  bool images = true;   ///< else figures alone
  int64_t threads = 0;  ///< 0: all processors
};

/// Writes comparison.json and report.html, and prints the table. Throws Error.
ExitCode compare(const CompareOptions& options);

}  // namespace lazymar
