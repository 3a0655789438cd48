#pragma once
/// The threads of one process, as others of the run come and go on its host.

#include <chrono>
#include <cstdint>
#include <optional>

#include "files/cpu_share.h"
#include "run/launcher_env.h"
#include "run/run_folder.h"

namespace lazymar {

/// At first the launcher says how many processes share the processors. Once as many have come to
/// the run folder, those that are there count.
class ThreadShare {
 public:
  /// `given`: --threads, which stays.
  ThreadShare(const std::optional<int64_t>& given, const LauncherEnv& env, double stall);

  /// Counts again, if the last count is some seconds old, and changes the number of threads. Called
  /// from the thread that computes; images do not depend on it.
  void adapt(const RunFolder& folder);

 private:
  bool fixed_;
  int64_t local_size_;
  double stall_;
  CpuLimits limits_;
  CpuShare share_;
  bool all_came_ = false;
  std::optional<std::chrono::steady_clock::time_point> counted_;
};

}  // namespace lazymar
