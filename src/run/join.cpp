#include "run/join.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "run/checked_files.h"
#include "run/heartbeat.h"
#include "run/run_folder.h"
#include "run/waiting.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// True if processes have registered there. A link could lead out of the folder, and this process
/// leaves a clock there.
bool has_members(const fs::path& folder) {
  return fs::is_directory(fs::symlink_status(folder / "info")) &&
         fs::is_directory(fs::symlink_status(folder / "info" / "ranks"));
}

/// Of a run folder with a manifest; empty otherwise.
std::optional<ordered_json> settings_there(const fs::path& folder) {
  return has_members(folder) ? manifest_settings(folder) : std::nullopt;
}

std::vector<MemberState> living(const fs::path& folder, double stall) {
  std::vector<MemberState> members;
  if (has_members(folder)) {
    members = read_members(folder / "info");
  }
  std::erase_if(members, [stall](const MemberState& member) { return !member.lives(stall); });
  return members;
}

/// Until rank 0 of a launch has opened the folder, it may still delete an earlier run's files.
void await_opening(const fs::path& folder, double stall) {
  const auto is_being_opened = [&] {
    const std::vector<MemberState> members = living(folder, stall);
    return std::any_of(members.begin(), members.end(), [](const MemberState& member) {
      return member.rank == 0 && !member.joined && member.state == kStarting;
    });
  };
  Waiting waiting(concat("for rank 0 to open ", folder.string()));
  while (is_being_opened()) {
    waiting.pause();
  }
}

/// False if that cannot be told: a run of somebody else may not be written, and a look leaves a
/// clock there.
bool seems_at_work(const fs::path& folder, double stall) {
  try {
    return !living(folder, stall).empty();
  } catch (const Error&) {
    return false;
  }
}

/// The shortest list of differences to a run at work under the same output folder; empty if none
/// is at work.
std::string nearest_run(const fs::path& path, const ordered_json& settings, double stall) {
  const fs::path output = path.parent_path().parent_path();
  std::string nearest;
  std::error_code ignored;
  for (const auto& model : fs::directory_iterator(output, ignored)) {
    for (const auto& entry : fs::directory_iterator(model.path(), ignored)) {
      const fs::path& folder = entry.path();
      const std::optional<ordered_json> there = settings_there(folder);
      if (folder == path || !there || !seems_at_work(folder, stall)) {
        continue;
      }
      const std::string text =
          concat("; the run at work in ", folder.string(), " has ", differences(*there, settings));
      if (nearest.empty() || text.size() < nearest.size()) {
        nearest = text;
      }
    }
  }
  return nearest;
}

}  // namespace

RunAtWork find_run_at_work(const fs::path& path, const ordered_json& settings, double stall) {
  await_opening(path, stall);
  const std::optional<ordered_json> there = settings_there(path);
  if (!there) {
    throw usage_error(path.string(), ": --join: there is no run",
                      nearest_run(path, settings, stall),
                      "; start the run without --join, and join it once it is at work");
  }
  const std::string difference = differences(*there, settings);
  if (!difference.empty()) {
    throw usage_error(path.string(), ": --join: the run has other settings: ", difference,
                      "; give the same ones");
  }
  RunAtWork run;
  for (const MemberState& member : living(path, stall)) {
    run.launch = member.launch;
    run.session = member.session;
    run.size = std::max(run.size, member.size);
    run.ranks.push_back(member.rank);
  }
  if (run.ranks.empty()) {
    const auto summary = read_run_object(path / "info" / "summary.json");
    if (!summary || !flag_in(*summary, "checked")) {
      throw usage_error(path.string(), ": --join: no process is at work on this run",
                        "; run the command without --join to continue it");
    }
    run.session = text_in(*summary, "launch");
  }
  return run;
}

bool launch_lives(const fs::path& info, double stall, LaunchPart part) {
  const std::vector<MemberState> members = read_members(info);
  return std::any_of(members.begin(), members.end(), [&](const MemberState& member) {
    return !member.joined && (part == LaunchPart::kAny || member.rank == 0) && member.lives(stall);
  });
}

}  // namespace lazymar
