#pragma once
/// --record_drift: what a Generator records, as files.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/launcher_env.h"
#include "run/run_folder.h"

namespace lazymar {

/// Most images of a set whose features are recorded, most bytes of one image's file, and most bytes
/// of features in memory at a time.
inline constexpr int64_t kMostRecordedImages = 64;
inline constexpr int64_t kMostDriftFileBytes = int64_t{64} << 20;
inline constexpr int64_t kMostDriftBytes = int64_t{4} << 30;

/// Throws Error (usage) where capture batches of `batch` images would take more than that.
void check_drift_size(const MarConfig& config, const DecodingPlan& plan, int64_t batch);

/// From here on the generator records: each image's features go into a file in the folder that
/// --record_drift names. Rank 0 makes the folder ready, before it announces the run: features
/// that are there stay where the run continues, else they are removed. Throws Error: usage, where
/// they are of other settings and --overwrite is not given; output, where the folder cannot be
/// made.
void record_drift(const EvalOptions& options, const nlohmann::ordered_json& settings,
                  const LauncherEnv& env, const RunFolder& run, Generator& generator);

/// Warns of images of the finished set that have no file: they were there before anything was
/// recorded. Throws Error (usage) where none has one.
void check_recorded(const std::filesystem::path& folder, int64_t num_images);

}  // namespace lazymar
