#include "run/status.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "files/atomic_file.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBarWidth = 30;
constexpr auto kTerminalInterval = std::chrono::seconds(1);
constexpr auto kPlainInterval = std::chrono::seconds(10);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", static_cast<long>(whole / 3600),
                  static_cast<long>(whole / 60 % 60), static_cast<long>(whole % 60));
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", static_cast<long>(whole / 60),
                  static_cast<long>(whole % 60));
  }
  return text;
}

std::string status_text(const RunStatus& status, int width) {
  std::string text;
  if (width > 0) {
    const auto filled = static_cast<size_t>(width * status.images / status.num_images);
    text.append("[").append(filled, '#').append(static_cast<size_t>(width) - filled, ' ');
    text.append("] ");
  }
  text += concat(status.images, "/", status.num_images, " images");
  const double rate = status.images_per_second();
  if (rate > 0) {
    char figures[64];
    std::snprintf(figures, sizeof figures, ", %.2f images/s, ", rate);
    text += figures + duration_text(static_cast<double>(status.num_images - status.images) / rate) +
            " left";
  }
  if (status.members.size() > 1) {
    for (const MemberState& member : status.members) {
      text += concat(", ", member.rank, ": ", member.state);
    }
  }
  return text;
}

std::string status_json(const RunStatus& status) {
  using nlohmann::ordered_json;
  ordered_json ranks = ordered_json::array();
  for (const MemberState& member : status.members) {
    ranks.push_back({{"rank", member.rank},
                     {"host", member.process.host},
                     {"pid", member.process.pid},
                     {"state", member.state},
                     {"silent_seconds", member.silent_seconds}});
  }
  const double rate = status.images_per_second();
  const auto left = static_cast<double>(status.num_images - status.images);
  return ordered_json{{"images", status.images},
                      {"num_images", status.num_images},
                      {"images_per_second", rate},
                      {"seconds_left", rate > 0 ? ordered_json(left / rate) : ordered_json()},
                      {"ranks", ranks}}
             .dump(2) +
         "\n";
}

struct StatusReporter::Impl {
  std::filesystem::path info;
  ShardPlan plan;
  JournalReader journal{info, plan};
  bool terminal = can_replace_lines();
  int64_t images_before = 0;
  Clock::time_point started = Clock::now();
  Clock::time_point last_line = started;
  std::mutex mutex;
  std::condition_variable ending;
  bool ended = false;
  std::thread thread;

  Impl(std::filesystem::path info_folder, const ShardPlan& shard_plan)
      : info(std::move(info_folder)), plan(shard_plan) {
    journal.refresh();
    images_before = finished_images();
    thread = std::thread([this] { work(); });
  }

  int64_t finished_images() const {
    int64_t images = 0;
    for (const ShardRecord* record : journal.finished()) {
      images += static_cast<int64_t>(record->images.size());
    }
    return images;
  }

  void work() {
    std::unique_lock lock(mutex);
    do {
      try {
        report();
      } catch (const std::exception&) {
        // For example a full disk: the worker will report it.
      }
    } while (!ending.wait_for(lock, kTerminalInterval, [this] { return ended; }));
  }

  void report() {
    journal.refresh();
    RunStatus status;
    status.images = finished_images();
    status.num_images = plan.num_images();
    status.made = status.images - images_before;
    status.seconds = seconds_since(started);
    status.members = read_members(info);
    std::erase_if(status.members, [](const MemberState& member) { return member.state == kEnded; });
    if (terminal) {
      const auto third = static_cast<int>(std::min<int64_t>(terminal_columns() / 3, kBarWidth));
      show_progress(status_text(status, third));
    } else if (Clock::now() - last_line >= kPlainInterval) {
      std::fprintf(stderr, "%s\n", visible(status_text(status, 0)).c_str());
      last_line = Clock::now();
    }
    write_text_atomically(info / "status.json", status_json(status));
  }
};

StatusReporter::StatusReporter(std::filesystem::path info, const ShardPlan& plan)
    : impl_(std::make_unique<Impl>(std::move(info), plan)) {}

StatusReporter::~StatusReporter() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ended = true;
  }
  impl_->ending.notify_all();
  impl_->thread.join();
  try {
    impl_->report();
  } catch (const std::exception&) {
    // As above.
  }
  if (impl_->terminal) {
    end_progress();
  }
}

}  // namespace lazymar
