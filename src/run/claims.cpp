#include "run/claims.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "files/atomic_file.h"
#include "files/descriptor.h"
#include "files/text_file.h"

namespace lazymar {
namespace {

/// Heartbeats within the time after which a holder counts as dead.
constexpr double kSignsPerStall = 10;

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

double FileClock::stamp(const std::filesystem::path& path) {
  // Opens the file instead of only its entry: a network file system asks its server only then.
  const Descriptor file = open_file(path, O_RDONLY);
  struct stat status {};
  return file.number() < 0 || ::fstat(file.number(), &status) != 0 ? -1
                                                                   : seconds_of(status.st_mtim);
}

double FileClock::age(const std::filesystem::path& path) const {
  const double changed = stamp(path);
  if (changed < 0) {
    return -1;
  }
  const Descriptor own = open_file(path_, O_WRONLY | O_CREAT);
  struct stat now {};
  if (own.number() < 0 || ::futimens(own.number(), nullptr) != 0 ||
      ::fstat(own.number(), &now) != 0) {
    throw output_error(path_.string(), ": cannot touch: ", std::strerror(errno));
  }
  return std::max(0.0, seconds_of(now.st_mtim) - changed);
}

bool touch(const std::filesystem::path& path) {
  return ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0;
}

Claims::Claims(std::filesystem::path folder, int64_t rank, double stall)
    : folder_(std::move(folder)), stall_(stall), clock_(folder_ / concat(".clock.", rank)) {}

Claims::~Claims() {
  for (const std::string& name : held_) {
    if (is_ours(folder_ / name)) {
      ::unlink((folder_ / name).c_str());
    }
  }
}

bool Claims::take(const std::string& name) {
  const std::filesystem::path path = folder_ / name;
  const bool taken = create(path) || (is_abandoned(path) && remove_abandoned(path) && create(path));
  if (taken) {
    const std::lock_guard lock(mutex_);
    held_.insert(name);
  }
  return taken;
}

void Claims::release(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (held_.erase(name) > 0 && is_ours(folder_ / name)) {
    ::unlink((folder_ / name).c_str());
  }
}

bool Claims::holds(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return held_.contains(name) && is_ours(folder_ / name);
}

bool Claims::is_ours(const std::filesystem::path& path) const {
  return parse_process_id(first_line(path)) == self_;
}

bool Claims::keep_fresh() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (now - refreshed_ < std::chrono::duration<double>(stall_ / kSignsPerStall)) {
    return false;
  }
  refreshed_ = now;
  for (const std::string& name : held_) {
    if (is_ours(folder_ / name)) {  // else it would keep another's claim fresh
      touch(folder_ / name);
    }
  }
  return true;
}

bool Claims::create(const std::filesystem::path& path) const {
  if (::access(path.c_str(), F_OK) == 0) {
    return false;
  }
  // open(2): "create a unique file on the same filesystem, and use link(2) to make a link to the
  // lockfile. If link(2) returns 0, the lock is successful. Otherwise, use stat(2) on the unique
  // file to check if its link count has increased to 2".
  static std::atomic<uint64_t> counter{0};
  const std::filesystem::path unique =
      folder_ / concat(".new.", process_token(), ".", counter.fetch_add(1));
  if (!create_exclusively(unique)) {
    throw output_error(unique.string(), ": cannot create: ", std::strerror(EEXIST));
  }
  const int error = ::link(unique.c_str(), path.c_str()) == 0 ? 0 : errno;
  struct stat status {};
  const bool linked = error == 0 || (::stat(unique.c_str(), &status) == 0 && status.st_nlink == 2);
  ::unlink(unique.c_str());
  if (linked || error == EEXIST) {
    return linked;
  }
  constexpr int kNoLinks[] = {EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EINVAL, EXDEV};
  if (std::find(std::begin(kNoLinks), std::end(kNoLinks), error) == std::end(kNoLinks)) {
    throw output_error(path.string(), ": cannot create: ", std::strerror(error));
  }
  return create_exclusively(path);  // a file system without hard links, such as FAT
}

bool Claims::create_exclusively(const std::filesystem::path& path) const {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.number() < 0) {
    if (errno == EEXIST) {
      return false;
    }
    throw output_error(path.string(), ": cannot create: ", std::strerror(errno));
  }
  // A process killed right here leaves a claim without a holder, which goes stale.
  try {
    write_all(file.number(), concat(encode(self_), "\n"), path);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
  return true;
}

bool Claims::is_abandoned(const std::filesystem::path& path) const {
  const ProcessId holder = parse_process_id(first_line(path));
  return liveness(holder) == Liveness::kDead || clock_.age(path) > stall_;
}

bool Claims::remove_abandoned(const std::filesystem::path& path) const {
  // Only one process removes at a time, and it checks again: a faster process may have created its
  // own claim here. If that vanished for a moment, a third process could claim the shard as well.
  const std::filesystem::path turn = folder_ / concat(".removing.", path.filename().string());
  if (!create(turn)) {
    if (is_abandoned(turn)) {
      ::unlink(turn.c_str());  // left by a process that died here; the next call continues
    }
    return false;
  }
  const bool abandoned = is_abandoned(path);
  if (abandoned) {
    ::unlink(path.c_str());
  }
  ::unlink(turn.c_str());
  return abandoned;
}

}  // namespace lazymar
