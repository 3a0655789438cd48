#include "lazymar/eval/evaluate.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "lazymar/eval/batch_size.h"
#include "lazymar/eval/contact_sheet.h"
#include "lazymar/eval/device.h"
#include "lazymar/eval/feature_files.h"
#include "lazymar/eval/generator.h"
#include "lazymar/eval/image_text.h"
#include "lazymar/eval/run_scores.h"
#include "lazymar/eval/run_weights.h"
#include "lazymar/eval/settings.h"
#include "lazymar/eval/summary.h"
#include "lazymar/eval/worker.h"
#include "lazymar/io/atomic_file.h"
#include "lazymar/io/text_file.h"
#include "lazymar/nn/recording.h"
#include "lazymar/run/log.h"
#include "lazymar/run/signals.h"
#include "lazymar/run/status.h"
#include "lazymar/run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kCudaBatch = 128;
constexpr int64_t kCpuBatch = 8;
constexpr std::chrono::milliseconds kPause(200);

std::vector<int64_t> chosen_classes(const EvalOptions& options, int64_t class_count) {
  std::vector<int64_t> classes = options.classes;
  if (classes.empty()) {
    classes.resize(static_cast<size_t>(class_count));
    std::iota(classes.begin(), classes.end(), 0);
  }
  for (const int64_t label : classes) {
    if (label >= class_count) {
      throw usage_error("--classes ", label, ": the model has classes 0 to ", class_count - 1);
    }
  }
  return classes;
}

void warn_of_ignored(const EvalOptions& options) {
  if (options.ignored.empty()) {
    return;
  }
  std::string names;
  for (const std::string& name : options.ignored) {
    names += concat(names.empty() ? "--" : ", --", name);
  }
  log_warning(concat("without a meaning here, ignored: ", names));
}

RunSummary describe(const EvalOptions& options, const Generator& generator, const RunFolder& folder,
                    const ordered_json& settings) {
  RunSummary summary;
  summary.launch = folder.session();
  summary.settings = settings;
  summary.mar_source = generator.model().mar_source;
  summary.vae_source = generator.model().vae_source;
  summary.device = generator.model().mar.class_emb.device().str();
  summary.num_images = options.num_images;
  summary.lazy_steps = generator.lazy_steps();
  summary.threads = at::get_num_threads();
  summary.baseline_rows = generator.baseline_rows();
  return summary;
}

/// Rows and columns of the contact sheet; none where nobody wants one.
std::pair<int64_t, int64_t> grid(const EvalOptions& options) {
  constexpr int64_t kPreviewSide = 8;
  if (options.grid || !options.preview) {
    return options.grid.value_or(std::pair<int64_t, int64_t>());
  }
  const int64_t columns = std::min(kPreviewSide, options.num_images);
  return {std::min(kPreviewSide, (options.num_images + columns - 1) / columns), columns};
}

/// One process's way through a run: blocks, the check of the set, the summary.
class Evaluation {
 public:
  Evaluation(const EvalOptions& options, const World& world, const BlockPlan& plan,
             const std::vector<int64_t>& classes, Generator& generator, const RunFolder& folder,
             RunSummary summary, const RunScoring* scoring)
      : options_(options),
        world_(world),
        plan_(plan),
        classes_(classes),
        folder_(folder),
        summary_(std::move(summary)),
        sheet_{folder.path(), options.few_files, plan, grid(options), generator.model().img_size},
        device_(generator.model().mar.class_emb.device()),
        // Hashed once per host: all its processes read the same files.
        weights_(generator.model(), folder, world.local_rank == 0, world.rank == 0),
        scoring_(scoring),
        worker_(
            options, world, plan, classes, generator, folder,
            [this](int64_t id) { return text(id); }, scoring) {
    if (options.preview && world.rank == 0) {
      preview_.emplace(sheet_);
    }
  }

  /// See BlockMaker.
  void retry_with(BlockMaker::MakeGenerator exact) { worker_.retry_with(std::move(exact)); }

  ExitCode run() {
    if (folder_.continues()) {
      weights_.settle_now(/*begin=*/false);
    }
    if (world_.rank == 0) {
      write_summary(false);
      folder_.announce();
      report_ready();
    }
    while (worker_.run([this] { weights_.settle_if_ready(); }) == Progress::kComplete) {
      // Whoever gets there first checks the set; the others stay until the result is there, in case
      // there is something to be made again.
      if (worker_.take_check()) {
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

 private:
  /// Tells the process that started this one that the run folder is open.
  void report_ready() const {
    if (world_.ready > 0) {
      (void)!::write(world_.ready, "r", 1);
      ::close(world_.ready);
    }
  }

  /// What the PNG of an image says of itself. On the writer's threads, so that the next block need
  /// not wait until the weights' hash is known.
  PngText text(int64_t id) {
    return options_.metadata ? image_text(id, label_of(id, classes_, options_.num_images),
                                          summary_.settings, weights_.get())
                             : PngText();
  }

  void wait() {
    folder_.member().set_state("waiting");
    folder_.member().keep_fresh();
    std::this_thread::sleep_for(kPause);
  }

  /// Nothing where there is work to do again.
  std::optional<ExitCode> check() {
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
      scoring_->finish(folder_.path(), [this] { worker_.keep_fresh(); });
    }
    write_summary(true);  // from here on the others take the result
    if (options_.record_features) {
      check_recorded(*options_.record_features, options_.num_images);
    }
    if (sheet_.grid.first > 0) {
      preview_.reset();  // one writer at a time
      sheet_.write(worker_.journal());
    }
    std::fputs(summary_text(summary_).c_str(), stdout);
    std::printf("Run folder: %s\n", folder_.path().c_str());
    std::fflush(stdout);
    return verdict(summary_.failed);
  }

  /// What another process of this launch has found, if it has.
  std::optional<ExitCode> result_of_others() const {
    const ordered_json found = ordered_json::parse(read_text(folder_.info() / "summary.json"),
                                                   nullptr, /*allow_exceptions=*/false);
    if (!found.is_object() || found.value("launch", "") != folder_.session() ||
        !found.value("checked", false)) {
      return std::nullopt;
    }
    return verdict(found.value("failed", std::vector<int64_t>()));
  }

  static ExitCode verdict(const std::vector<int64_t>& failed) {
    if (failed.empty()) {
      return ExitCode::kDone;
    }
    throw Error(ExitCode::kFailed,
                concat(failed.size(), " images without a usable result (the first: ",
                       failed.front(), "); info/summary.json lists them; run again to retry them"));
  }

  void write_summary(bool checked) {
    summary_.blocks.clear();
    summary_.failed.clear();
    for (const BlockRecord* record : worker_.journal().finished()) {
      summary_.blocks.push_back(*record);
      summary_.failed.insert(summary_.failed.end(), record->failed.begin(), record->failed.end());
    }
    summary_.checked = checked;
    summary_.peak_device_bytes = device_.is_cuda() ? device_memory(device_).peak : 0;
    summary_.weights = folder_.weights();
    write_text_atomically(folder_.info() / "summary.json", summary_json(summary_));
  }

  ExitCode stopped() {
    // The stop may have come after another process found the set complete.
    if (const std::optional<ExitCode> result = result_of_others()) {
      return *result;
    }
    if (world_.rank != 0) {
      return ExitCode::kIncomplete;
    }
    write_summary(false);
    throw Error(
        ExitCode::kIncomplete,
        concat("stopped by signal ", stop_request()->signal, ": ", written_images(summary_.blocks),
               " of ", options_.num_images, " images are done; the same command continues"));
  }

  const EvalOptions& options_;
  World world_;
  BlockPlan plan_;
  std::vector<int64_t> classes_;
  const RunFolder& folder_;
  RunSummary summary_;
  ContactSheet sheet_;
  c10::Device device_;
  RunWeights weights_;
  const RunScoring* scoring_;
  Worker worker_;  ///< its writer asks for text() up to its end
  std::optional<Preview> preview_;
};

}  // namespace

ExitCode evaluate(const EvalOptions& options, const World& world) {
  watch_stop_signals(options.grace);
  warn_of_ignored(options);
  set_threads(options.threads, world);
  const c10::Device device = resolve_device(options.device, world);
  use_device(device);
  set_recordings(options.cuda_graphs);
  const Precision precision = resolve_precision(options.precision, device);
  log_info(concat("precision: ", to_string(precision)));
  const std::unique_ptr<const RunScoring> scoring = make_run_scoring(options, device);
  const auto model =
      std::make_shared<const Model>(load_model(options.model, placement_of(precision, device)));

  const int64_t batch = device.is_cuda() ? kCudaBatch : kCpuBatch;
  const ResolvedSettings standard{resolve_sampling(EvalOptions{}, model->recommended),
                                  std::min(batch, options.num_images),
                                  resolve_precision(Precision::kAuto, device)};
  ResolvedSettings resolved{resolve_sampling(options, model->recommended),
                            std::min(options.eval_bsz.value_or(batch), options.num_images),
                            precision};
  const std::vector<int64_t> classes = chosen_classes(options, model->mar.config.class_count);
  Generator generator(model, resolved.sampling, options.lazy, options.model.seed);
  const std::filesystem::path path =
      options.output_dir / options.model.model / settings_name(options, resolved, standard);
  if (options.auto_batch) {
    resolved.eval_bsz = automatic_batch(options, world, generator, path, batch);
  }
  if (options.record_features) {
    check_feature_size(generator.model().mar.config, resolved.sampling, resolved.eval_bsz);
  }
  const ordered_json settings = settings_json(options, resolved, device);
  const RunFolder folder({path, options.overwrite, options.num_images, options.stall}, world,
                         settings);
  if (options.record_features) {
    record_features(options, settings, world, folder, generator);
  }
  log_to_file(folder.info() / concat("lazymar_eval.", world.rank, ".log"));

  const BlockPlan plan(options.num_images, resolved.eval_bsz);
  std::optional<StatusReporter> reporter;
  if (world.rank == 0) {
    reporter.emplace(folder.info(), plan);
  }
  Evaluation evaluation(options, world, plan, classes, generator, folder,
                        describe(options, generator, folder, settings), scoring.get());
  if (precision == Precision::kBf16) {
    evaluation.retry_with([&] {
      return std::make_unique<Generator>(
          std::make_shared<const Model>(
              load_model(options.model, placement_of(Precision::kFp32, device))),
          resolved.sampling, options.lazy, options.model.seed);
    });
  }
  return evaluation.run();
}

}  // namespace lazymar
