#pragma once
/// --record_drift: writes what a Generator records to files.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "formats/safetensors.h"
#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/launcher_env.h"
#include "run/run_folder.h"

namespace lazymar {

/// Limits: images of a recorded set, bytes of one image's file, and bytes of features in memory at
/// a time.
inline constexpr int64_t kMostRecordedImages = 64;
inline constexpr int64_t kMostDriftFileBytes = int64_t{64} << 20;
inline constexpr int64_t kMostDriftBytes = int64_t{4} << 30;

/// Throws Error (usage) if recording batches of `batch` images would need more than that.
void check_drift_size(const MarConfig& config, const DecodingPlan& plan, int64_t batch);

/// A tensor on the CPU as a file stores it: BF16 or F32, as it is.
TensorSource recorded_tensor(const at::Tensor& values);

/// From now on the generator records each image's drift to a file in the folder of --record_drift.
/// Rank 0 prepares the folder before it announces the run: existing recordings are kept if the run
/// continues, else removed. Throws Error: usage, if they have other settings and --overwrite is not
/// given; output, if the folder cannot be created.
void record_drift(const EvalOptions& options, const nlohmann::ordered_json& settings,
                  const LauncherEnv& env, const RunFolder& run, Generator& generator);

/// Warns about images of the finished set that lack a file, because they existed before recording.
/// Throws Error (usage) if no image has all of its files.
void check_recorded(const EvalOptions& options);

}  // namespace lazymar
