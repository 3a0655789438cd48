#pragma once
/// lazymar_score: FID, Inception Score, KID, precision and recall of sets of images.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/exit_code.h"
#include "core/option_row.h"
#include "score/extractor_choice.h"
#include "score/scorer.h"
#include "score/scores.h"

namespace lazymar {

struct ScoreOptions {
  std::vector<std::filesystem::path> sets;  ///< later ones are compared with the first
  std::optional<std::filesystem::path> reference;
  Metrics metrics;
  ExtractorRequest extractor;
  std::string device = "auto";
  std::optional<int64_t> threads;
  int64_t decode_threads = 4;
  FeatureKeeping features;
  bool rules = false;  ///< only checks the pictures' rules
  std::optional<std::filesystem::path> save_stats, to_npz;
  std::optional<std::filesystem::path> json;  ///< "-": stdout, and the rest goes to stderr
};

OptionTable<ScoreOptions> score_rows();

/// Prints problems with the images, then their scores; writes those of runs to their
/// info/scores.json. Throws Error.
ExitCode score(const ScoreOptions& options);

}  // namespace lazymar
