#include "generate/session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/exit_code.h"
#include "core/labels.h"
#include "core/log.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "generate/drift_files.h"
#include "generate/image_text.h"
#include "nn/capture.h"
#include "pipeline/device.h"
#include "run/checked_files.h"
#include "run/join.h"
#include "run/signals.h"
#include "run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kPause(200);

/// Rows and columns of the contact sheet; zero without one.
std::pair<int64_t, int64_t> grid(const EvalOptions& options) {
  constexpr int64_t kPreviewSide = 8;
  if (options.grid || !options.preview) {
    return options.grid.value_or(std::pair<int64_t, int64_t>());
  }
  const int64_t columns = std::min(kPreviewSide, options.num_images);
  return {std::min(kPreviewSide, (options.num_images + columns - 1) / columns), columns};
}

ExitCode verdict(const std::vector<int64_t>& failed) {
  if (failed.empty()) {
    return ExitCode::kDone;
  }
  throw Error(
      ErrorKind::kFailed,
      concat(failed.size(), " images have no usable result (first: ", failed.front(),
             "), listed in info/summary.json: computed again, they stay NaN, infinite or of ",
             "a single colour; use --precision fp32 or fp64, a smaller --cfg or another ",
             "checkpoint (the same command retries them)"));
}

}  // namespace

Session::Session(const EvalOptions& options, const LauncherEnv& env, const ShardPlan& plan,
                 const std::vector<int64_t>& classes, Generator& generator, const RunFolder& folder,
                 RunSummary summary, const RunScoring* scoring)
    : options_(options),
      env_(env),
      plan_(plan),
      classes_(classes),
      folder_(folder),
      summary_(std::move(summary)),
      sheet_{folder.path(), options.few_files, plan, grid(options), generator.model().img_size},
      device_(generator.model().mar.class_emb.device()),
      // Hashed once per host: all its processes read the same files.
      weights_(generator.model(), folder, env.local_rank == 0, env.rank == 0),
      scoring_(scoring),
      threads_(options.threads, env, options.stall),
      worker_(
          options, env, plan, classes, generator, folder, [this](int64_t id) { return text(id); },
          scoring) {
  if (options.preview && env.rank == 0) {
    preview_.emplace(sheet_);
  }
}

ExitCode Session::run() {
  settle_weights();
  if (env_.rank == 0) {
    write_summary(false);
    folder_.announce();
  }
  report_ready();
  const auto between_shards = [this] {
    weights_.settle_if_ready();
    threads_.adapt(folder_);
  };
  while (worker_.run(between_shards) == Progress::kComplete) {
    // One process checks the set; the others wait for the result, in case images must be
    // regenerated.
    if (may_check() && worker_.take_check()) {
      const std::optional<ExitCode> result = check();
      worker_.release_check();
      if (result) {
        return *result;
      }
    } else if (const std::optional<ExitCode> result = result_of_others()) {
      return *result;
    } else {
      wait();
    }
  }
  return stopped();
}

/// If the run continues, compares the weights before anything is made. A process that joins waits
/// for the launch's own to note theirs, which they do between shards.
void Session::settle_weights() {
  if (!folder_.continues()) {
    return;
  }
  while (env_.joins && folder_.weights().is_null() && !may_check()) {
    if (stop_request()) {
      return;
    }
    wait();
  }
  weights_.settle_now(/*begin=*/env_.joins);
}

/// The check, and its output, are left to the launch's first process while that lives: it shows the
/// progress, and ends it before anything is printed. Processes that joined leave them to the
/// launch's own.
bool Session::may_check() const {
  if (env_.joins) {
    return !launch_lives(folder_.info(), options_.stall);
  }
  return env_.rank == 0 || !launch_lives(folder_.info(), options_.stall, LaunchPart::kFirst);
}

/// Tells the process that started this one that the run folder is open.
void Session::report_ready() const {
  if (env_.ready > 0) {
    (void)!::write(env_.ready, "r", 1);
    ::close(env_.ready);
  }
}

/// The metadata of an image's PNG. Called on the writer's threads, so that the next shard need not
/// wait for the weights' hash.
PngText Session::text(int64_t id) {
  static const std::vector<std::string> kKeys = setting_keys(describe(eval_rows())).png_text;
  return options_.metadata ? image_text(id, label_of(id, classes_, options_.num_images),
                                        summary_.settings, weights_.get(), kKeys)
                           : PngText();
}

void Session::wait() {
  folder_.member().set_state("waiting");
  folder_.member().keep_fresh();
  std::this_thread::sleep_for(kPause);
}

/// Empty if shards must be regenerated.
std::optional<ExitCode> Session::check() {
  if (const std::optional<ExitCode> result = result_of_others()) {
    return result;
  }
  folder_.member().set_state("checking");
  if (worker_.check(options_.verify_deep) > 0) {
    return std::nullopt;
  }
  if (folder_.weights().is_null()) {
    weights_.settle_now(/*begin=*/true);
  } else {
    weights_.settle_if_ready();
  }
  if (scoring_ != nullptr) {
    folder_.member().set_state("scoring");
    before_output_();
    scoring_->finish(folder_.path(), [this] { worker_.keep_fresh(); });
  }
  write_summary(true);  // from now on the others use this result
  if (options_.record_drift) {
    check_recorded(options_);
  }
  if (sheet_.grid.first > 0) {
    preview_.reset();  // one writer at a time
    sheet_.write(worker_.journal());
  }
  before_output_();
  std::fputs(visible(summary_text(summary_), /*keep_lines=*/true).c_str(), stdout);
  std::printf("Run folder: %s\n", visible(folder_.path().string()).c_str());
  std::fflush(stdout);
  return verdict(summary_.failed);
}

/// What another process of this launch has found, if it has.
std::optional<ExitCode> Session::result_of_others() const {
  const std::optional<ordered_json> found = read_run_object(folder_.info() / "summary.json");
  if (!found || text_in(*found, "launch") != folder_.session() || !flag_in(*found, "checked")) {
    return std::nullopt;
  }
  // It is this launch's own, so its types are known.
  const auto failed = found->value("failed", std::vector<int64_t>());
  if (env_.joins && env_.local_rank == 0 && failed.empty()) {
    log_info("the run is complete: " + folder_.path().string());
  }
  return verdict(failed);
}

void Session::count_shards() {
  summary_.shards.clear();
  summary_.failed.clear();
  for (const ShardRecord* record : worker_.journal().finished()) {
    summary_.shards.push_back(*record);
    summary_.failed.insert(summary_.failed.end(), record->failed.begin(), record->failed.end());
  }
}

void Session::write_summary(bool checked) {
  count_shards();
  summary_.checked = checked;
  if (!capture_failure().empty()) {
    summary_.graphs = concat("off (", capture_failure(), ")");
  }
  summary_.peak_device_bytes = device_.is_cuda() ? device_memory(device_).peak : 0;
  summary_.weights = folder_.weights();
  write_text_atomically(folder_.info() / "summary.json", summary_json(summary_));
}

ExitCode Session::stopped() {
  // The stop may have come after another process found the set complete.
  if (const std::optional<ExitCode> result = result_of_others()) {
    return *result;
  }
  const bool speaks = env_.joins ? env_.local_rank == 0 : env_.rank == 0;
  if (!speaks) {
    return ExitCode::kIncomplete;
  }
  if (env_.joins) {
    count_shards();
    throw Error(ErrorKind::kIncomplete,
                concat("left the run after signal ", stop_request()->signal, ": ",
                       written_images(summary_.shards), " of ", options_.num_images,
                       " images are done; the same command joins it again"));
  }
  write_summary(false);
  throw Error(
      ErrorKind::kIncomplete,
      concat("stopped by signal ", stop_request()->signal, ": ", written_images(summary_.shards),
             " of ", options_.num_images, " images are done; the same command continues"));
}

}  // namespace lazymar
