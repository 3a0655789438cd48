#pragma once
/// Memory that this process may still allocate.

#include <cstdint>
#include <optional>
#include <string>

#include "files/environment.h"

namespace lazymar {

struct MemoryRoom {
  int64_t bytes = 0;
  std::string limit;  ///< what sets it: "this machine", "the control group", "SLURM_MEM_PER_NODE"
};

/// What a Slurm job may use on this host: SLURM_MEM_PER_NODE, or SLURM_MEM_PER_CPU times
/// SLURM_CPUS_ON_NODE, in MiB each. Empty without a limit; Slurm writes 0 for all of the host's.
std::optional<MemoryRoom> slurm_memory(const Environment& environment);

/// The least of /proc/meminfo's MemAvailable, what the control groups leave, and Slurm's limit;
/// empty if nothing is known.
std::optional<MemoryRoom> memory_room(const Environment& environment);

}  // namespace lazymar
