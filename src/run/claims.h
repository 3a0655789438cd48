#pragma once
/// Which process works on what: files in info/claims/, on a file system that the processes share.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "run/process_id.h"

namespace lazymar {

/// The file system's time, so that the clocks of hosts need not agree.
class FileClock {
 public:
  /// `path`: a file used only for this, created when needed.
  explicit FileClock(std::filesystem::path path) : path_(std::move(path)) {}

  /// A number that changes if `path` is touched; negative if there is no such file.
  static double stamp(const std::filesystem::path& path);

  /// Seconds since the last change of `path`; negative if there is no such file. Throws Error
  /// (output) if the clock's own file cannot be touched.
  double age(const std::filesystem::path& path) const;

 private:
  std::filesystem::path path_;
};

/// Sets the time of the last change to now; false if there is no such file.
bool touch(const std::filesystem::path& path);

/// The claims of one process. A claim is a file that names its holder, who keeps it fresh. It comes
/// to be by link(2), which is atomic even where exclusive creation is not (old NFS). The claim of a
/// process that is dead, or had no heartbeat for `stall` seconds, may be taken over. Its former
/// holder, if it only stood still, has lost it. Thread-safe.
class Claims {
 public:
  /// `folder` must exist.
  Claims(std::filesystem::path folder, int64_t rank, double stall);
  /// Releases what is still held.
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// True: this process now holds `name`. Throws Error (output) if the folder cannot be written.
  bool take(const std::string& name);
  /// Leaves alone what another process has taken over.
  void release(const std::string& name);
  /// True if this process held `name` when last looked at, and it still names it.
  bool holds(const std::string& name);

  /// Sends a heartbeat. Cheap: it writes, and returns true, only a few times per `stall`.
  bool keep_fresh();

 private:
  bool create(const std::filesystem::path& path) const;
  bool create_exclusively(const std::filesystem::path& path) const;
  bool is_ours(const std::filesystem::path& path) const;
  bool is_abandoned(const std::filesystem::path& path) const;
  /// Removes an abandoned claim; false if another process is removing it or already has.
  bool remove_abandoned(const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  ProcessId self_ = this_process();
  double stall_;
  FileClock clock_;
  std::mutex mutex_;
  std::set<std::string> held_;
  std::chrono::steady_clock::time_point refreshed_ = std::chrono::steady_clock::now();
};

}  // namespace lazymar
