#pragma once
/// The processes of a run, each with a file info/ranks/<rank>.json that it keeps fresh.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/cpu_share.h"
#include "run/claims.h"
#include "run/launcher_env.h"
#include "run/process_id.h"

namespace lazymar {

/// A process as described by its file.
struct MemberState {
  int64_t rank = 0;
  ProcessId process;
  std::string launch;
  std::string state;          ///< kStarting, "shard 17", "waiting", "checking", or kEnded
  double silent_seconds = 0;  ///< since its last heartbeat
  std::string cpus = {};      ///< that it may use: "0-3,8"; empty from an earlier version
  std::string session = {};   ///< see RunFolder; empty from an earlier version
  int64_t size = 1;           ///< processes of its launch
  bool joined = false;        ///< with --join
  double stamp = 0;           ///< changes with each heartbeat: see FileClock

  /// False if it ended, died, or sent no heartbeat for `stall` seconds.
  bool lives(double stall) const;
};

/// The first state, and the last one of a process that ended normally.
inline constexpr const char* kStarting = "starting";
inline constexpr const char* kEnded = "ended";

/// A process's file; nothing if it is damaged. Without `silent_seconds` and `stamp`.
std::optional<MemberState> parse_member(std::string_view text);

/// All processes that have a file, by rank; damaged files are skipped.
std::vector<MemberState> read_members(const std::filesystem::path& info);

/// The living processes of a run on the machine of one of them.
struct HostMembers {
  int64_t all = 0;
  CpuSharers sharers;  ///< those that use the same CPUs as that process, itself included
};
/// `stall`: seconds without a heartbeat after which a process counts as dead.
HostMembers members_here(const std::vector<MemberState>& members, const ProcessId& self,
                         const std::string& cpus, double stall);

/// This process as seen by the others. At the end, its file remains with the state kEnded.
class Heartbeat {
 public:
  /// Throws Error (usage) if another launch, or another process of the same rank, is using the
  /// folder. Waits for workers whose supervisor is gone, as they end soon, and up to `stall`
  /// seconds for heartbeats from other hosts. Throws Error (incomplete) if asked to stop meanwhile.
  Heartbeat(std::filesystem::path info, const LauncherEnv& env, double stall,
            const std::string& session);
  /// For a process that joins the launch `env.launch`: null if another process has this rank.
  static std::unique_ptr<Heartbeat> join(const std::filesystem::path& info, const LauncherEnv& env,
                                         double stall, const std::string& session);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void set_state(const std::string& state);
  /// Sends a heartbeat. Cheap: it writes only a few times per `stall`. Throws Error (incomplete) if
  /// this process stood still for so long that another one has taken its place.
  void keep_fresh();

 private:
  struct Unplaced {};
  Heartbeat(Unplaced unplaced, std::filesystem::path info, const LauncherEnv& env, double stall,
            std::string session);
  bool take_place();
  std::string place() const;
  void refuse_others() const;
  std::filesystem::path path() const;

  std::filesystem::path info_;
  LauncherEnv env_;
  double stall_;
  std::string session_;
  ProcessId self_ = this_process();
  std::string cpus_;
  std::string state_;
  Claims place_;  ///< of this rank: of two simultaneous starts, one wins
};

}  // namespace lazymar
