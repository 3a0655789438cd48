#pragma once
/// Runs against a baseline run, image by image.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/option_row.h"
#include "report/redundancy.h"
#include "report/suggestion.h"
#include "rules/run_rules.h"
#include "run/run_data.h"

namespace lazymar {

/// One image of both runs.
struct Pair {
  int64_t id = 0;
  double psnr = 0.0;           ///< dB; infinite where the images are equal
  std::optional<double> ssim;  ///< nothing below 11 pixels
};

/// Mean and median over the pairs. Equal images have no finite PSNR: its mean is over the others,
/// and nothing where there is none; so is its median where most images are equal.
struct PairStatistics {
  int64_t count = 0, identical = 0;
  std::optional<double> psnr_mean, psnr_median, ssim_mean, ssim_median;
};
PairStatistics statistics(const std::vector<Pair>& pairs);

/// A run beside the baseline.
struct PairedRun {
  std::vector<Pair> pairs;               ///< the smallest PSNR first, but for check_rules()
  std::vector<std::string> left_out;     ///< images that cannot be read, each with its reason
  std::vector<std::string> differences;  ///< settings beside the cache that differ, weights too
};

/// Runs with their figures; runs[0] is the baseline, paired[i] belongs to runs[i + 1].
struct Comparison {
  std::vector<RunData> runs;
  std::vector<PairedRun> paired;
  std::vector<RunRules> rules{};           ///< of each run, if all have rules; otherwise empty
  std::optional<Redundancy> redundancy{};  ///< of recorded features
  std::optional<Suggestion> suggestion{};  ///< out of them
  LazyOptions suggestion_for{};            ///< warmup and refresh that it goes with
  SettingKeys keys{};                      ///< of the runs' settings
};

/// Compares the images that both runs have, on `threads` threads. Throws Error (usage) where
/// settings say that images of one id do not belong together (model, seed, classes, number of
/// images), naming them, where no image is common, or where the sizes differ. Without `images` only
/// the settings are compared, and none is refused.
PairedRun pair_runs(const RunData& baseline, const RunData& run, const SettingKeys& keys,
                    bool images, int64_t threads);

/// Checks the rules of all runs' pictures, if every run's model has rules, and puts pairs first in
/// which the baseline keeps its rule and the run breaks it.
void check_rules(Comparison& comparison, int64_t threads);

/// What recorded features were made with and the baseline was not, one setting each.
std::vector<std::string> recorded_differences(const RunData& baseline,
                                              const nlohmann::ordered_json& recorded,
                                              const SettingKeys& keys);

/// Everything that the report shows, for scripts.
nlohmann::ordered_json comparison_json(const Comparison& comparison);

/// The table and the likeness, for a terminal.
std::string comparison_text(const Comparison& comparison);

/// Figures of one run, as tables and JSON have them; nothing where it cannot be known.
struct RunFigures {
  double seconds_per_image = 0.0;
  bool warm_up = false;           ///< of the latency: only first or short shards were there
  std::vector<double> latencies;  ///< seconds an image, by measured shard, sorted
  std::optional<double> speedup;  ///< over the baseline
  int64_t flops = 0;              ///< per image
  std::optional<double> transformer_rows, head_rows;  ///< computed share of plain MAR's
  int64_t full_steps = 0, lazy_steps = 0;
};
RunFigures figures(const RunData& run, const RunData& baseline);

}  // namespace lazymar
