#pragma once
/// Progress of a run over all its processes, for people and for scripts (info/status.json).

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "run/heartbeat.h"
#include "run/journal.h"
#include "run/shard_plan.h"

namespace lazymar {

struct RunStatus {
  int64_t images = 0;      ///< finished, of all launches
  int64_t num_images = 0;  ///< size of the set
  int64_t made = 0;        ///< finished since `seconds` began
  double seconds = 0.0;
  std::vector<MemberState> members;

  double images_per_second() const { return seconds > 0 ? static_cast<double>(made) / seconds : 0; }
};

/// "12/64 images, 1.50 images/s, 0:35 left", with a bar of `width` characters in front if it is
/// above 0, and with several processes the state of each. No rate before the first image.
std::string status_text(const RunStatus& status, int width);

/// info/status.json.
std::string status_json(const RunStatus& status);

/// "1:02:03" or "2:03".
std::string duration_text(double seconds);

/// Shows and writes the status periodically on its own thread, until it is destroyed. Its errors do
/// not affect the run.
class StatusReporter {
 public:
  StatusReporter(std::filesystem::path info, const ShardPlan& plan);
  ~StatusReporter();
  StatusReporter(const StatusReporter&) = delete;
  StatusReporter& operator=(const StatusReporter&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lazymar
