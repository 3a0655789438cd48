#pragma once
/// --record_features: what a Generator records, as files.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "lazymar/eval/generator.h"
#include "lazymar/eval/options.h"
#include "lazymar/run/run_folder.h"
#include "lazymar/run/world.h"

namespace lazymar {

/// Most images of a set whose features are recorded, most bytes of one image's file, and most bytes
/// of features in memory at a time.
inline constexpr int64_t kMostRecordedImages = 64;
inline constexpr int64_t kMostFeatureFileBytes = int64_t{64} << 20;
inline constexpr int64_t kMostFeatureBytes = int64_t{4} << 30;

/// Throws Error (usage) where recording batches of `batch` images would take more than that.
void check_feature_size(const MarConfig& config, const SamplingOptions& sampling, int64_t batch);

/// From here on the generator records: each image's features go into a file in the folder that
/// --record_features names. Rank 0 makes the folder ready, before it announces the run: features
/// that are there stay where the run continues, else they are removed. Throws Error: usage, where
/// they are of other settings and --overwrite is not given; output, where the folder cannot be
/// made.
void record_features(const EvalOptions& options, const nlohmann::ordered_json& settings,
                     const World& world, const RunFolder& run, Generator& generator);

/// Warns of images of the finished set that have no file: they were there before anything was
/// recorded. Throws Error (usage) where none has one.
void check_recorded(const std::filesystem::path& folder, int64_t num_images);

}  // namespace lazymar
