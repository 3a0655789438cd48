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
  double stall = 300;  ///< seconds to wait for rank 0, and for signs of life of another run
};

/// A run's place, with its manifest: what it makes, written at its start and compared by everybody
/// who continues it.
class RunFolder {
 public:
  /// Rank 0 creates the folder, or finds its manifest equal to `settings`; the others wait
  /// until it says so with announce(). With `overwrite`, what another launch left there is removed
  /// first. Throws Error: usage, where there are other settings (naming every difference), PNGs
  /// that belong to no run, or to another one, or another run at work; output, where the folder
  /// cannot be written.
  RunFolder(const RunFolderRequest& request, const LauncherEnv& env,
            const nlohmann::ordered_json& settings);

  /// Rank 0: the others may come.
  void announce() const { member_->set_state("open"); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path info() const { return path_ / "info"; }
  /// A name that this launch has for itself, and no other one, ever.
  const std::string& session() const { return session_; }
  /// True where the manifest was there already.
  bool continues() const { return continues_; }
  /// This process as the others see it.
  Heartbeat& member() const { return *member_; }

  /// The hashes of the weights, which are known some time after the start: noted in the manifest by
  /// a process that may, compared by all others. Throws Error (usage) where they differ.
  void settle_weights(const nlohmann::ordered_json& hashes, bool may_write) const;
  /// What the manifest has of them; null where nothing is noted yet.
  nlohmann::ordered_json weights() const;

 private:
  void refuse_foreign_files(bool has_manifest, int64_t num_images) const;
  void join(const RunFolderRequest& request, const LauncherEnv& env);
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
  std::unique_ptr<Heartbeat> member_;
  bool continues_ = false;
};

/// "num_iter 64 there, 32 now; seed 1 there, 2 now": every value that differs; empty where none
/// does.
std::string differences(const nlohmann::ordered_json& there, const nlohmann::ordered_json& now);

}  // namespace lazymar
