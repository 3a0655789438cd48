#pragma once
/// Runs against a baseline run, image by image.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/option_row.h"
#include "report/redundancy.h"
#include "report/replay.h"
#include "report/suggestion.h"
#include "rules/run_rules.h"
#include "run/run_data.h"

namespace lazymar {

/// One image of both runs.
struct Pair {
  int64_t id = 0;
  double psnr = 0.0;           ///< dB; infinite if the images are equal
  std::optional<double> ssim;  ///< empty below 11 pixels
};

/// Mean and median over the pairs. Equal images have no finite PSNR, so its mean is over the others
/// and empty if there are none. Its median is empty if most images are equal.
struct PairStatistics {
  int64_t count = 0, identical = 0;
  std::optional<double> psnr_mean, psnr_median, ssim_mean, ssim_median;
};
PairStatistics statistics(const std::vector<Pair>& pairs);

/// A run compared with the baseline.
struct PairedRun {
  std::vector<Pair> pairs;               ///< the smallest PSNR first, but for check_rules()
  std::vector<std::string> left_out;     ///< images that cannot be read, each with its reason
  std::vector<std::string> differences;  ///< differing settings other than the cache, and weights
};

/// Runs with their figures; runs[0] is the baseline, paired[i] belongs to runs[i + 1].
struct Comparison {
  std::vector<RunData> runs;
  std::vector<PairedRun> paired;
  std::vector<RunRules> rules{};           ///< of each run, if all have rules; otherwise empty
  std::optional<Redundancy> redundancy{};  ///< of recorded features
  std::optional<Suggestion> suggestion{};  ///< from them
  LazyOptions suggestion_for{};            ///< its warmup and refresh
  std::optional<Replay> replay{};          ///< of recorded features of the head
  SettingKeys keys{};                      ///< of the runs' settings
};

/// Compares the images that both runs have, on `threads` threads. Throws Error (usage) if no image
/// is shared, if sizes differ, or if settings differ that change which image an id is (model, seed,
/// classes, number of images); the message names them. Without `images`, only settings are
/// compared, and none is refused.
PairedRun pair_runs(const RunData& baseline, const RunData& run, const SettingKeys& keys,
                    bool images, int64_t threads);

/// Checks the rules of all runs' images, if every run's model has rules. Puts pairs first in which
/// the baseline keeps its rule and the run breaks it.
void check_rules(Comparison& comparison, int64_t threads);

/// Differing settings of the recordings and the baseline.
std::vector<std::string> recorded_differences(const RunData& baseline,
                                              const nlohmann::ordered_json& recorded,
                                              const SettingKeys& keys);

/// Everything that the report shows, for scripts.
nlohmann::ordered_json comparison_json(const Comparison& comparison);

/// The table with PSNR and SSIM, for a terminal.
std::string comparison_text(const Comparison& comparison);

/// Figures of one run for tables and JSON; empty if unknown.
struct RunFigures {
  double seconds_per_image = 0.0;
  bool warm_up = false;           ///< latency is from first or short shards only
  std::vector<double> latencies;  ///< seconds per image, by measured shard, sorted
  std::optional<double> speedup;  ///< over the baseline
  int64_t flops = 0;              ///< per image
  std::optional<double> transformer_rows, head_rows;  ///< computed share of plain MAR's
  int64_t full_steps = 0, lazy_steps = 0;
};
RunFigures figures(const RunData& run, const RunData& baseline);

}  // namespace lazymar
