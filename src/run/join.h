#pragma once
/// --join: one more process for a run that is at work.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lazymar {

/// A run as a process that joins it needs to know it.
struct RunAtWork {
  std::string launch;          ///< of its processes
  std::string session;         ///< see RunFolder
  int64_t size = 1;            ///< ranks below are the launch's own
  std::vector<int64_t> ranks;  ///< of the processes that live, joined ones included
};

/// The run at work in the folder `path`; a complete run, too: there is nothing left to do. Throws
/// Error (usage) if there is none, or its settings differ: every difference is named, and if no run
/// is there, those of the run at work in the nearest other folder of the same output folder.
RunAtWork find_run_at_work(const std::filesystem::path& path,
                           const nlohmann::ordered_json& settings, double stall);

/// Any of the launch's own processes, which check the set and note its weights; or the first, which
/// shows the run's progress.
enum class LaunchPart { kAny, kFirst };
/// True if such a process lives.
bool launch_lives(const std::filesystem::path& info, double stall,
                  LaunchPart part = LaunchPart::kAny);

}  // namespace lazymar
