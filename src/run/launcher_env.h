#pragma once
/// The rank of this process and the number of processes, as set by the launcher.

#include <cstdint>
#include <optional>
#include <string>

#include "files/environment.h"

namespace lazymar {

enum class Launcher {
  kNone,      ///< started by hand: it may start its own workers
  kOwn,       ///< a worker that lazymar_eval started
  kExternal,  ///< torchrun, srun, mpirun, or RANK and WORLD_SIZE set by hand
};

struct LauncherEnv {
  Launcher launcher = Launcher::kNone;
  int64_t rank = 0;
  int64_t size = 1;
  int64_t local_rank = 0;  ///< among the processes of this host: the GPU's number
  int64_t local_size = 1;  ///< processes of this host; 1 if unknown
  /// The same text for all processes that were started together; for kOwn, the ProcessId of their
  /// parent. Another launch may have the same text, because launchers do not number themselves.
  std::string launch;
  bool joins = false;      ///< one more worker of a run that is at work; rank and size follow later
  bool restarted = false;  ///< the launcher has restarted this job
  int ready = 0;  ///< a worker writes to this descriptor once the run folder is open; 0: none
};

/// The environment variables of kOwn: "RANK/SIZE/DESCRIPTOR/LAUNCH".
inline constexpr const char* kWorkerVariable = "LAZYMAR_WORKER";

/// The number of tasks on a node, by Slurm's list for all nodes: "2(x3),1" has 2, 2, 2 and 1. Empty
/// if the text is no such list or has no such node.
std::optional<int64_t> tasks_on_node(const std::string& tasks_per_node, int64_t node);

/// Reads the launchers' variables: torchrun's RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE;
/// OMPI_COMM_WORLD_*; and SLURM_* inside a step of srun. The innermost launcher counts: torchrun,
/// then mpirun, then srun. Throws Error (usage) if they are incomplete or contradict each other.
LauncherEnv read_launcher_env(const Environment& environment);

}  // namespace lazymar
