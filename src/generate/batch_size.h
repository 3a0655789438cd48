#pragma once
/// --eval_bsz auto: the largest batch that fits into the device's memory.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/launcher_env.h"

namespace lazymar {

/// What a batch takes: bytes at its peak.
using MeasuredPeak = std::function<int64_t(int64_t images)>;
/// What there is, in bytes; asked last, when what the driver keeps for batches is taken.
using AvailableMemory = std::function<int64_t()>;

/// The largest batch up to `most` whose peak stays within what is available by a straight line
/// through two measured ones, with a reserve for what the line does not know; a multiple of 8 above
/// 8. A batch that `peak` cannot measure (out of memory) is halved and tried again. Throws Error
/// (usage) where not even one image fits.
int64_t largest_batch(const MeasuredPeak& peak, const AvailableMemory& available, int64_t most);

/// The batch size of a run that was given "auto": what its manifest has, if it has begun; otherwise
/// rank 0 measures and the others wait for the manifest, so that all plan the same shards. On CPUs
/// the usual one.
int64_t automatic_batch(const EvalOptions& options, const LauncherEnv& env, Generator& generator,
                        const std::filesystem::path& run_folder, int64_t usual);

}  // namespace lazymar
