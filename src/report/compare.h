#pragma once
/// lazymar_compare: runs against a baseline, as JSON and as a report.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/exit_code.h"
#include "core/option_row.h"
#include "method/lazy_options.h"

namespace lazymar {

struct CompareOptions {
  std::vector<std::filesystem::path> runs;  ///< the first one is the baseline
  std::filesystem::path output_dir = "comparison";
  int64_t pairs = 20;                          ///< of each run, shown in the report
  bool images = true;                          ///< else only figures
  std::optional<int64_t> threads;              ///< default: one per processor
  std::optional<std::filesystem::path> drift;  ///< a folder of lazymar_eval --record_drift
  std::optional<double> tolerance;             ///< suggest a schedule from it
  LazyOptions lazy;                            ///< determines which steps are full
  bool falling = false;                        ///< the schedule never rises
  std::vector<std::string> replay;             ///< predictors to try on it; empty: none
  int64_t replay_interval = 7;                 ///< diffusion steps from one evaluation to the next
  SettingKeys keys;                            ///< of the runs' settings
};

OptionTable<CompareOptions> compare_rows();

/// Writes comparison.json and report.html, and prints the table. Without runs, it prints only the
/// errors of predictors, and the list suggested from drift, for "--lazy_retain $(...)". Throws
/// Error.
ExitCode compare(const CompareOptions& options);

}  // namespace lazymar
