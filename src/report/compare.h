#pragma once
/// lazymar_compare: runs against a baseline, as JSON and as a report.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/error.h"
#include "method/lazy_options.h"

namespace lazymar {

struct CompareOptions {
  std::vector<std::filesystem::path> runs;  ///< the first one is the baseline
  std::filesystem::path output_dir = "comparison";
  int64_t pairs = 20;                             ///< of each run, shown in the report
  bool images = true;                             ///< else figures alone
  int64_t threads = 0;                            ///< 0: all processors
  std::optional<std::filesystem::path> features;  ///< a folder of lazymar_eval --record_drift
  std::optional<double> tolerance;                ///< suggest a schedule out of them
  LazyOptions lazy;                               ///< which steps it takes for full
  bool falling = false;                           ///< the schedule never rises
};

/// Writes comparison.json and report.html, and prints the table. With no runs but features it
/// prints the suggested list alone, for "--lazy_retain $(...)". Throws Error.
ExitCode compare(const CompareOptions& options);

}  // namespace lazymar
