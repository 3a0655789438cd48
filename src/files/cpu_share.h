#pragma once
/// How many threads a process starts: its share of the processors that it may use.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/environment.h"

namespace lazymar {

/// What limits the threads of one process.
struct CpuLimits {
  std::string cpus;                    ///< that it may use, as Linux lists them: "0-3,8"
  int64_t cores = 1;                   ///< among them; hardware threads of one core count once
  int64_t parent_cores = 1;            ///< that its parent may use
  std::optional<double> quota;         ///< of its control groups, in CPUs
  std::optional<int64_t> slurm_cpus;   ///< SLURM_CPUS_PER_TASK
  std::optional<int64_t> omp_threads;  ///< OMP_NUM_THREADS
};

/// The limits of this process.
CpuLimits read_cpu_limits(const Environment& environment);

/// {0, 1, 2, 3, 8} for "0-3,8"; empty if the text is no such list.
std::vector<int64_t> parse_cpu_list(const std::string& text);

/// How many of the run's processes use the same processors.
struct CpuSharers {
  int64_t cores = 1;  ///< processes with the same list of CPUs
  int64_t quota = 1;  ///< processes under the same quota
};

/// Of `local_size` processes that a launcher started on this host. If it gave each a part of its
/// own processors, fewer share a part.
CpuSharers sharers_by_launcher(const CpuLimits& limits, int64_t local_size);

struct CpuShare {
  int64_t threads = 1;
  std::string reason;  ///< "2 cores, 2 ranks here"
};

/// "1 (2 cores, 2 ranks here)".
std::string to_string(const CpuShare& share);

/// Processors and quota are divided among the sharers. SLURM_CPUS_PER_TASK and OMP_NUM_THREADS are
/// each process's own. The smallest counts, and one thread is the least.
CpuShare cpu_share(const CpuLimits& limits, const CpuSharers& sharers);

}  // namespace lazymar
