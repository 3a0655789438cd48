#pragma once
/// --eval_bsz auto: the largest batch that fits in the device's memory.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/launcher_env.h"

namespace lazymar {

/// Peak memory of a batch, in bytes.
using MeasuredPeak = std::function<int64_t(int64_t images)>;
/// Available memory, in bytes; called last, when the driver has allocated its share for batches.
using AvailableMemory = std::function<int64_t()>;

/// The largest batch up to `most` whose peak memory fits, extrapolated linearly from two measured
/// batches with a reserve; a multiple of 8 above 8. A batch that `peak` cannot measure (out of
/// memory) is halved and tried again. Throws Error (usage) if not even one image fits.
int64_t largest_batch(const MeasuredPeak& peak, const AvailableMemory& available, int64_t most);

/// The batch size of a run with "auto": the manifest's, if the run has begun. Otherwise rank 0
/// measures and the others wait for the manifest, so that all plan the same shards. On CPUs it is
/// the default.
int64_t automatic_batch(const EvalOptions& options, const LauncherEnv& env, Generator& generator,
                        const std::filesystem::path& run_folder, int64_t usual);

}  // namespace lazymar
