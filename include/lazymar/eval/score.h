#pragma once
/// lazymar_score: FID, Inception Score, KID, precision and recall of sets of images.

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lazymar/core/error.h"
#include "lazymar/metrics/extractor.h"
#include "lazymar/score/scores.h"
#include "lazymar/score/scoring.h"

namespace lazymar {

/// Which network looks at images.
struct ExtractorRequest {
  std::string name = "inception";                ///< or "demo"
  std::optional<std::filesystem::path> weights;  ///< default: the extractor's own place
};

struct ScoreOptions {
  std::vector<std::filesystem::path> sets;  ///< later ones are compared with the first
  std::optional<std::filesystem::path> reference;
  Metrics metrics;
  ExtractorRequest extractor;
  std::string device = "auto";
  std::optional<int64_t> threads;
  int64_t decode_threads = 4;
  FeatureKeeping features;
  std::optional<std::filesystem::path> save_stats, to_npz;
  std::optional<std::filesystem::path> json;  ///< "-": stdout, and the rest goes to stderr
};

/// Throws Error (usage) where the name is none, or the weights cannot be used, or the extractor
/// cannot work on the device.
std::unique_ptr<FeatureExtractor> load_extractor(const ExtractorRequest& request,
                                                 c10::Device device);

/// Prints what is wrong with the images, then their scores; leaves those of runs in their
/// info/scores.json. Throws Error.
ExitCode score(const ScoreOptions& options);

}  // namespace lazymar
