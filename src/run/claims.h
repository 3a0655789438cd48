#pragma once
/// Who works on what: files under info/claims/, on a file system that the processes share.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "run/process_id.h"

namespace lazymar {

/// Time as the file system of a file tells it, so that the clocks of several hosts do not matter.
class FileClock {
 public:
  /// `path`: a file for this alone, made when it is needed.
  explicit FileClock(std::filesystem::path path) : path_(std::move(path)) {}

  /// Seconds since the last change of `path`; a negative number where there is no such file.
  /// Throws Error (output) where the clock's own file cannot be touched.
  double age(const std::filesystem::path& path) const;

 private:
  std::filesystem::path path_;
};

/// Sets the time of the last change to now; false where there is no such file.
bool touch(const std::filesystem::path& path);

/// The claims of one process. A claim is a file made exclusively; its holder keeps it fresh; the
/// claim of a process that is dead, or that gave no sign of life for `stall` seconds, may be taken
/// over. Two processes may hold the same claim after a stall: what is made twice is equal.
/// Every method may be called from several threads.
class Claims {
 public:
  /// `folder` must exist.
  Claims(std::filesystem::path folder, int64_t rank, double stall);
  /// Releases what is still held.
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// True: `name` is ours now. Throws Error (output) where the folder cannot be written.
  bool take(const std::string& name);
  void release(const std::string& name);

  /// Shows that this process gets on. Cheap: it writes, and returns true, a few times per `stall`.
  bool keep_fresh();

 private:
  bool create(const std::filesystem::path& path) const;
  bool is_abandoned(const std::filesystem::path& path) const;
  /// Removes an abandoned claim; false where another is at it, or was faster.
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
