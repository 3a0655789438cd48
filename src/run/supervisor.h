#pragma once
/// Starts worker processes, one per GPU or share of the cores, and restarts them.

#include <cstdint>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/exit_code.h"

namespace lazymar {

struct SupervisorOptions {
  int64_t workers = 1;
  int64_t max_restarts = 3;  ///< per worker
  double grace = 25;         ///< seconds in which a worker may stop by itself
  /// "NAME=VALUE" in the environment of a worker that is started again after a fault of its GPU.
  std::string after_device_fault;
  std::function<void(const std::string&)> warn;
};

/// Runs this program `workers` times with the same arguments, as Launcher::kOwn; the first one
/// opens the run folder before the others start. Stop signals are passed on. A worker that ends by
/// a signal or an internal error is restarted up to `max_restarts` times; after that, the others
/// take its share. After its first fault of a GPU, it is also told `after_device_fault`. Workers
/// end when this process does. Returns done if a worker found the set complete, else the most
/// severe of the workers' codes.
ExitCode supervise(const SupervisorOptions& options, char* const* argv);

}  // namespace lazymar
