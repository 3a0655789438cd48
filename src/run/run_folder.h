#pragma once
/// <output_dir>/<model>/<settings>/: numbered PNGs (or a tar per shard) and info/, nothing else.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "run/heartbeat.h"
#include "run/launcher_env.h"

namespace lazymar {

/// How a run folder is opened.
struct RunFolderRequest {
  std::filesystem::path path;
  bool overwrite = false;
  int64_t num_images = 0;
  double stall = 300;  ///< seconds to wait for rank 0, and for heartbeats of another run
  bool join = false;   ///< become one more process of the run at work there
};

/// The settings in a folder's manifest, for a look before the folder is opened; nothing if there is
/// no manifest, or it is damaged: opening the folder tells.
std::optional<nlohmann::ordered_json> manifest_settings(const std::filesystem::path& run_folder);

/// A run's folder with its manifest: the settings, written at the start and compared by every
/// process that continues the run.
class RunFolder {
 public:
  /// Rank 0 creates the folder, or finds its manifest equal to `settings`; the others wait until it
  /// calls announce(). With `overwrite`, the files of another launch are removed first.
  /// With `join`, this process becomes one more of the run at work: see run/join.h.
  /// Throws Error: usage, if the settings differ (naming every difference), if PNGs belong to no
  /// run or to another one, or if another run uses the folder; output, if the folder cannot be
  /// written.
  RunFolder(const RunFolderRequest& request, const LauncherEnv& env,
            const nlohmann::ordered_json& settings);

  /// Rank 0: the others may start.
  void announce() const { member_->set_state("open"); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path info() const { return path_ / "info"; }
  /// A unique name of this launch.
  const std::string& session() const { return session_; }
  /// This process's rank, and a number of processes for ShardPlan: those of the launcher, or, if it
  /// joined, a rank that no other process has.
  int64_t rank() const { return rank_; }
  int64_t size() const { return size_; }
  /// True if the manifest already existed.
  bool continues() const { return continues_; }
  /// This process as seen by the others.
  Heartbeat& member() const { return *member_; }

  /// The hashes of the weights, known some time after the start: a process with `may_write` adds
  /// them to the manifest, the others compare. Throws Error (usage) if they differ.
  void settle_weights(const nlohmann::ordered_json& hashes, bool may_write) const;
  /// The manifest's hashes; null if there are none yet.
  nlohmann::ordered_json weights() const;

 private:
  void refuse_files_of_others(bool has_manifest, int64_t num_images) const;
  void register_member(const RunFolderRequest& request, const LauncherEnv& env);
  void join_run(const RunFolderRequest& request, const LauncherEnv& env,
                const nlohmann::ordered_json& settings);
  void check_writable() const;
  void create_folders() const;
  void open(const RunFolderRequest& request, const LauncherEnv& env,
            const nlohmann::ordered_json& settings);
  void await(const RunFolderRequest& request, const LauncherEnv& env);
  bool is_open(const RunFolderRequest& request, const LauncherEnv& env);
  void remove_debris(const LauncherEnv& env) const;
  void compare(const nlohmann::ordered_json& settings) const;
  std::optional<nlohmann::ordered_json> read_manifest() const;
  void write_manifest(const nlohmann::ordered_json& manifest) const;

  std::filesystem::path path_;
  std::string session_;
  int64_t rank_;
  int64_t size_;
  std::unique_ptr<Heartbeat> member_;
  bool continues_ = false;
};

/// "num_iter 64 there, 32 now; seed 1 there, 2 now": every value that differs; empty if none does.
std::string differences(const nlohmann::ordered_json& there, const nlohmann::ordered_json& now);

}  // namespace lazymar
