#include "run/heartbeat.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "files/atomic_file.h"
#include "files/environment.h"
#include "run/checked_files.h"
#include "run/waiting.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr int64_t kMostRanks = int64_t{1} << 20;

fs::path ranks_folder(const fs::path& info) {
  return info / "ranks";
}

}  // namespace

std::optional<MemberState> parse_member(std::string_view text) {
  const std::optional<ordered_json> line = parse_run_object(text);
  if (!line) {
    return std::nullopt;
  }
  const std::optional<int64_t> rank = integer_in(*line, "rank", 0, kMostRanks);
  const std::optional<int64_t> size =
      line->contains("size") ? integer_in(*line, "size", 1, kMostRanks) : std::optional<int64_t>(1);
  if (!rank || !size) {
    return std::nullopt;
  }
  try {
    return MemberState{*rank,
                       parse_process_id(line->at("process")),
                       line->at("launch"),
                       line->at("state"),
                       0,
                       line->value("cpus", ""),
                       line->value("session", ""),
                       *size,
                       line->value("joined", false)};
  } catch (const ordered_json::exception&) {
    return std::nullopt;  // not written by lazymar_eval
  }
}

std::vector<MemberState> read_members(const fs::path& info) {
  constexpr int64_t kMostBytes = int64_t{1} << 20;
  const FileClock clock(ranks_folder(info) / concat(".clock.", process_token()));
  std::vector<MemberState> members;
  for (const auto& entry : fs::directory_iterator(ranks_folder(info))) {
    if (entry.path().extension() != ".json") {
      continue;
    }
    std::optional<MemberState> member = parse_member(read_run_text(entry.path(), kMostBytes));
    const double silent = clock.age(entry.path());
    if (member) {
      member->silent_seconds = silent;
      member->stamp = FileClock::stamp(entry.path());
      members.push_back(std::move(*member));
    }
  }
  std::error_code ignored;
  fs::remove(ranks_folder(info) / concat(".clock.", process_token()), ignored);
  return members;
}

bool MemberState::lives(double stall) const {
  return state != kEnded && silent_seconds <= stall && liveness(process) != Liveness::kDead;
}

HostMembers members_here(const std::vector<MemberState>& members, const ProcessId& self,
                         const std::string& cpus, double stall) {
  HostMembers here{1, {}};
  for (const MemberState& member : members) {
    if (member.process == self || !same_boot(member.process, self) || !member.lives(stall)) {
      continue;
    }
    ++here.all;
    if (member.cpus == cpus) {
      ++here.sharers.cores;
      // Another PID namespace is another container, with a quota of its own.
      here.sharers.quota += member.process.machine == self.machine ? 1 : 0;
    }
  }
  return here;
}

Heartbeat::Heartbeat(Unplaced, fs::path info, const LauncherEnv& env, double stall,
                     std::string session)
    : info_(std::move(info)),
      env_(env),
      stall_(stall),
      session_(std::move(session)),
      cpus_(read_cpu_limits(own_environment).cpus),
      place_(ranks_folder(info_), env.rank, stall) {}

Heartbeat::Heartbeat(fs::path info, const LauncherEnv& env, double stall,
                     const std::string& session)
    : Heartbeat(Unplaced(), std::move(info), env, stall, session) {
  refuse_others();
  if (!take_place()) {
    throw usage_error(info_.parent_path().string(), ": another run is starting here as rank ",
                      env.rank, "; wait for it, or choose another --output_dir");
  }
}

std::unique_ptr<Heartbeat> Heartbeat::join(const fs::path& info, const LauncherEnv& env,
                                           double stall, const std::string& session) {
  std::unique_ptr<Heartbeat> member(new Heartbeat(Unplaced(), info, env, stall, session));
  return member->take_place() ? std::move(member) : nullptr;
}

bool Heartbeat::take_place() {
  if (!place_.take(place())) {
    return false;
  }
  set_state(kStarting);
  return true;
}

Heartbeat::~Heartbeat() {
  if (state_.empty()) {
    return;  // it never had the place
  }
  try {
    set_state(kEnded);
  } catch (const std::exception&) {
    // For example a full disk: the process ends anyway, and others notice.
  }
}

std::string Heartbeat::place() const {
  return concat(env_.rank, ".lock");
}

fs::path Heartbeat::path() const {
  return ranks_folder(info_) / concat(env_.rank, ".json");
}

void Heartbeat::set_state(const std::string& state) {
  if (state == state_) {
    return;
  }
  state_ = state;
  const json line = {{"rank", env_.rank},     {"process", encode(self_)},
                     {"launch", env_.launch}, {"state", state},
                     {"cpus", cpus_},         {"session", session_},
                     {"size", env_.size},     {"joined", env_.joins}};
  write_text_atomically(path(), line.dump() + "\n");
}

void Heartbeat::keep_fresh() {
  if (!place_.keep_fresh()) {
    return;
  }
  if (!place_.holds(place())) {
    throw Error(ErrorKind::kIncomplete,
                concat("this process stood still for more than ", stall_,
                       " s, and another one has taken its place; the same command continues"));
  }
  touch(path());
}

void Heartbeat::refuse_others() const {
  std::map<int64_t, double> first_stamps;  // by rank
  std::optional<Waiting> waiting;
  while (true) {
    bool unclear = false;
    for (const MemberState& other : read_members(info_)) {
      const bool one_of_ours = other.launch == env_.launch && other.rank != env_.rank;
      const Liveness alive = liveness(other.process);
      if (one_of_ours || other.process == self_ || !other.lives(stall_)) {
        continue;
      }
      // A worker stops when its supervisor is gone.
      const bool ends_soon =
          !other.joined && liveness(parse_process_id(other.launch)) == Liveness::kDead;
      // Its file has changed while this process watches: a heartbeat, however coarse the file
      // system's times are.
      const bool gave_sign =
          first_stamps.emplace(other.rank, other.stamp).first->second != other.stamp;
      if (alive == Liveness::kAlive ? !ends_soon : gave_sign) {
        throw usage_error(
            info_.parent_path().string(), ": another run is using this folder (rank ", other.rank,
            ", ", to_string(other.process),
            "); join it with --join, wait for it, stop it, or choose another --output_dir");
      }
      unclear = true;
      if (!waiting) {
        waiting.emplace(concat("up to ", stall_, " s (--stall) for a sign of rank ", other.rank,
                               " of an earlier run (", to_string(other.process),
                               "), which has not ended as it should"));
      }
    }
    if (!unclear) {
      return;
    }
    waiting->pause();
  }
}

}  // namespace lazymar
