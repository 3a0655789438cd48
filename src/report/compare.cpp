#include "report/compare.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/exit_code.h"
#include "core/log.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "report/comparison.h"
#include "report/report.h"

namespace lazymar {
namespace {

void warn(const RunData& run, const PairedRun& paired) {
  if (!paired.left_out.empty()) {
    log_warning(concat(run.label, ": ", paired.left_out.size(), " pairs are left out: ",
                       paired.left_out.front(), paired.left_out.size() > 1 ? " (and others)" : "",
                       "; run lazymar_eval with the run's command to regenerate them"));
  }
  for (const std::string& difference : paired.differences) {
    log_warning(concat(run.label, ": ", difference));
  }
}

void add_recordings(const CompareOptions& options, Comparison& comparison) {
  if (!options.drift) {
    return;
  }
  if (!options.replay.empty()) {
    comparison.replay =
        replay(read_head_recordings(*options.drift), options.replay, options.replay_interval);
  }
  if (options.runs.empty() && !options.tolerance) {
    return;
  }
  const std::vector<ImageDrift> images = read_drift(*options.drift);
  comparison.redundancy.emplace(images);
  if (options.tolerance) {
    comparison.suggestion_for = options.lazy;
    comparison.suggestion =
        suggest_retain(images, options.lazy, *options.tolerance, options.falling);
  }
}

}  // namespace

ExitCode compare(const CompareOptions& options) {
  const int64_t processors = std::max(1U, std::thread::hardware_concurrency());
  Comparison comparison;
  comparison.keys = options.keys;
  add_recordings(options, comparison);
  if (options.runs.empty()) {
    if (comparison.replay) {
      std::fputs(visible(replay_text(*comparison.replay), /*keep_lines=*/true).c_str(), stdout);
    }
    if (comparison.suggestion) {
      std::printf("%s\n", comparison.suggestion->list().c_str());
    }
    return ExitCode::kDone;
  }
  check_output_folder(options.output_dir, "--output_dir");
  for (const std::filesystem::path& folder : options.runs) {
    comparison.runs.push_back(read_run(folder));
  }
  label_runs(comparison.runs);
  for (size_t i = 1; i < comparison.runs.size(); ++i) {
    comparison.paired.push_back(pair_runs(comparison.runs.front(), comparison.runs[i], options.keys,
                                          options.images, options.threads.value_or(processors)));
    warn(comparison.runs[i], comparison.paired.back());
  }
  if (options.images) {
    check_rules(comparison, options.threads.value_or(processors));
  }
  std::error_code failed;
  std::filesystem::create_directories(options.output_dir, failed);
  if (failed) {
    throw output_error(options.output_dir.string(), ": cannot create: ", failed.message());
  }
  const std::string json =
      comparison_json(comparison)
          .dump(2, ' ', /*ensure_ascii=*/false, nlohmann::ordered_json::error_handler_t::replace);
  write_text_atomically(options.output_dir / "comparison.json", json + "\n");
  write_text_atomically(options.output_dir / "report.html",
                        report_html(comparison, options.images ? options.pairs : 0));
  std::fputs(visible(comparison_text(comparison), /*keep_lines=*/true).c_str(), stdout);
  if (comparison.redundancy) {
    for (const std::string& sentence : redundancy_text(*comparison.redundancy)) {
      std::printf("%s\n", visible(sentence).c_str());
    }
  }
  if (comparison.replay) {
    std::fputs(visible(replay_text(*comparison.replay), /*keep_lines=*/true).c_str(), stdout);
  }
  if (comparison.suggestion) {
    std::printf("--lazy_retain %s\n", comparison.suggestion->list().c_str());
  }
  std::printf("Report: %s\n", visible((options.output_dir / "report.html").string()).c_str());
  return ExitCode::kDone;
}

}  // namespace lazymar
