#include "run/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "files/atomic_file.h"
#include "files/descriptor.h"
#include "run/checked_files.h"
#include "run/folder_content.h"
#include "run/join.h"
#include "run/waiting.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// One name for all processes of a launch; `first`: its rank 0.
std::string session_name(const LauncherEnv& env, const ProcessId& first) {
  return fnv1a_hex(env.launcher == Launcher::kOwn ? env.launch : encode(first));
}

Error unwritable(const fs::path& path, const std::string& reason) {
  return output_error(path.string(), ": cannot be written: ", reason, "; choose a writable folder");
}

std::string shown(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string differences(const ordered_json& there, const ordered_json& now) {
  std::string text;
  // Flat: "/lazy_mar/refresh" and its value.
  const ordered_json before = there.flatten();
  const ordered_json after = now.flatten();
  const auto add = [&](const std::string& key, const std::string& one, const std::string& other) {
    if (key.empty()) {
      return;  // an empty object's only entry
    }
    text += concat(text.empty() ? "" : "; ", key.substr(1), " ", one, " there, ", other, " now");
  };
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key)) {
      add(key, shown(value), "absent");
    } else if (after[key] != value) {
      add(key, shown(value), shown(after[key]));
    }
  }
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key)) {
      add(key, "absent", shown(value));
    }
  }
  return text;
}

RunFolder::RunFolder(const RunFolderRequest& request, const LauncherEnv& env,
                     const ordered_json& settings)
    : path_(request.path), rank_(env.rank), size_(env.size) {
  try {
    check_run_files(path_);
    if (request.join) {
      join_run(request, env, settings);
    } else if (env.rank == 0) {
      open(request, env, settings);
    } else {
      await(request, env);
      register_member(request, env);
    }
  } catch (const fs::filesystem_error& error) {
    throw unwritable(error.path1(), error.code().message());
  }
  compare(settings);
}

void RunFolder::open(const RunFolderRequest& request, const LauncherEnv& env,
                     const ordered_json& settings) {
  fs::create_directories(path_);
  const bool may_overwrite = request.overwrite && !env.restarted && is_run_folder(path_);
  // What is to be overwritten may be damaged.
  std::optional<ordered_json> manifest =
      may_overwrite ? read_manifest_file(path_) : read_manifest();
  session_ = session_name(env, this_process());
  // A process that is restarted within the same launch continues.
  const bool anew = may_overwrite && !(manifest && text_in(*manifest, "launch") == session_);
  if (!anew) {
    refuse_files_of_others(manifest.has_value(), request.num_images);
  }
  register_member(request, env);
  if (anew) {
    remove_run(path_);
    manifest.reset();
    refuse_files_of_others(false, request.num_images);
  }
  create_folders();
  remove_debris(env);
  continues_ = manifest.has_value();
  if (!manifest) {
    write_manifest({{"settings", settings}, {"launch", session_}});
  }
}

void RunFolder::remove_debris(const LauncherEnv& env) const {
  for (const MemberState& member : read_members(info())) {
    if (member.rank != env.rank && member.state != kEnded &&
        liveness(member.process) != Liveness::kDead) {
      return;  // another process is running: this one was restarted
    }
  }
  for (const char* name : {"unfinished", "claims"}) {
    fs::remove_all(info() / name);
    fs::create_directory(info() / name);
  }
  for (const auto& entry : fs::directory_iterator(info())) {
    if (entry.path().extension() == ".tmp") {
      fs::remove(entry.path());
    }
  }
}

void RunFolder::refuse_files_of_others(bool has_manifest, int64_t num_images) const {
  const std::string foreign = file_of_others(path_, has_manifest, num_images);
  if (foreign.empty()) {
    return;
  }
  throw usage_error(path_.string(), ": ", foreign, " belongs to ",
                    has_manifest ? "no image of this run" : "a run without a manifest",
                    "; move it, or choose another --output_dir",
                    is_run_folder(path_) ? " (--overwrite removes numbered images)" : "");
}

void RunFolder::check_writable() const {
  if (::access(path_.c_str(), W_OK | X_OK) != 0 || ::access(info().c_str(), W_OK | X_OK) != 0) {
    throw unwritable(path_, std::strerror(errno));
  }
}

void RunFolder::register_member(const RunFolderRequest& request, const LauncherEnv& env) {
  fs::create_directories(info() / "ranks");
  check_writable();
  member_ = std::make_unique<Heartbeat>(info(), env, request.stall, session_);
}

void RunFolder::join_run(const RunFolderRequest& request, const LauncherEnv& env,
                         const ordered_json& settings) {
  const RunAtWork run = find_run_at_work(path_, settings, request.stall);
  check_writable();
  continues_ = true;
  session_ = run.session;
  LauncherEnv joined = env;
  joined.launch = run.launch;
  joined.size = run.size;
  for (joined.rank = run.size; !member_; ++joined.rank) {
    const bool taken =
        std::find(run.ranks.begin(), run.ranks.end(), joined.rank) != run.ranks.end();
    if (!taken) {
      member_ = Heartbeat::join(info(), joined, request.stall, session_);
      rank_ = joined.rank;
    }
  }
  size_ = static_cast<int64_t>(run.ranks.size()) + 1;
}

void RunFolder::create_folders() const {
  for (const char* name : {"claims", "unfinished", "faults"}) {
    fs::create_directories(info() / name);
  }
}

bool RunFolder::is_open(const RunFolderRequest& request, const LauncherEnv& env) {
  const std::optional<ordered_json> manifest = read_manifest();
  if (!manifest) {
    return false;
  }
  if (env.launcher == Launcher::kOwn) {  // it starts the others once rank 0 has opened the folder
    session_ = session_name(env, {});
    return true;
  }
  for (const MemberState& member : read_members(info())) {
    const bool opened =
        member.rank == 0 && member.launch == env.launch && member.state != kStarting;
    const bool lives = member.state != kEnded && member.silent_seconds <= request.stall &&
                       liveness(member.process) != Liveness::kDead;
    // If it ended after this process was started, it belongs to this launch and was quick, not to
    // an earlier launch of the same name.
    if (opened && (lives || member.silent_seconds < process_age())) {
      session_ = session_name(env, member.process);
      return true;
    }
  }
  return false;
}

void RunFolder::await(const RunFolderRequest& request, const LauncherEnv& env) {
  Waiting waiting(concat("for rank 0 to open ", path_.string()));
  while (!is_open(request, env)) {
    if (waiting.seconds() > request.stall) {
      throw usage_error(path_.string(), ": rank 0 did not open this run folder within ",
                        request.stall,
                        " s; check that rank 0 is running and that all hosts share the folder");
    }
    waiting.pause();
  }
}

void RunFolder::compare(const ordered_json& settings) const {
  const std::optional<ordered_json> manifest = read_manifest();
  const std::string difference =
      manifest ? differences(manifest->at("settings"), settings) : "its manifest is missing";
  if (!difference.empty()) {
    throw usage_error(path_.string(), ": made with other settings: ", difference,
                      "; start over with --overwrite, or keep it and choose another --output_dir");
  }
}

ordered_json RunFolder::weights() const {
  const std::optional<ordered_json> manifest = read_manifest();
  return manifest ? manifest->value("weights_sha256", ordered_json()) : ordered_json();
}

void RunFolder::settle_weights(const ordered_json& hashes, bool may_write) const {
  const ordered_json there = weights();
  if (!there.is_null()) {
    const std::string difference = differences(there, hashes);
    if (!difference.empty()) {
      throw usage_error(
          path_.string(), ": made with other weights: ", difference,
          "; start over with --overwrite, or keep it and choose another --output_dir");
    }
  } else if (std::optional<ordered_json> manifest = read_manifest(); manifest && may_write) {
    (*manifest)["weights_sha256"] = hashes;
    write_manifest(*manifest);
  }
}

std::optional<ordered_json> manifest_settings(const fs::path& run_folder) {
  const std::optional<ordered_json> manifest = read_manifest_file(run_folder);
  return manifest ? std::optional(manifest->at("settings")) : std::nullopt;
}

std::optional<ordered_json> RunFolder::read_manifest() const {
  const fs::path file = info() / "manifest.json";
  if (open_file(file, O_RDONLY).number() < 0) {
    return std::nullopt;
  }
  std::optional<ordered_json> manifest = read_manifest_file(path_);
  if (!manifest) {
    throw usage_error(
        file.string(),
        ": damaged; start over with --overwrite, or keep it and choose another --output_dir");
  }
  return manifest;
}

void RunFolder::write_manifest(const ordered_json& manifest) const {
  write_text_atomically(info() / "manifest.json", manifest.dump(2) + "\n");
}

}  // namespace lazymar
