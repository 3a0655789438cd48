#pragma once
/// --eval_bsz auto: the largest batch that fits in the device's memory.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "files/memory_room.h"
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

/// Bytes that an image of a batch needs on a CPU: what its caches hold, and the rows of one block
/// in fp32, which is the most that any precision takes.
int64_t cpu_image_bytes(const MarConfig& config, const DecodingPlan& plan, Precision precision);

/// The processes of a host, which take from the same memory.
struct HostProcesses {
  int64_t count = 1;
  int64_t bytes = 0;  ///< of each before its first image; this one holds them already
};

/// The batch size on a CPU, where larger ones are no faster: the usual one, or as many images as
/// fit in a process's share of the room; at least one.
int64_t cpu_batch(int64_t usual, int64_t image_bytes, const std::optional<MemoryRoom>& room,
                  const HostProcesses& processes);

/// The batch size of a run with "auto": the manifest's, if the run has begun. Otherwise rank 0
/// measures and the others wait for the manifest, so that all plan the same shards. On CPUs it is
/// cpu_batch(). `weights`: bytes that each process keeps.
int64_t automatic_batch(const EvalOptions& options, const LauncherEnv& env, Generator& generator,
                        const std::filesystem::path& run_folder, int64_t usual, int64_t weights);

}  // namespace lazymar
