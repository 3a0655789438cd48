#include "generate/command.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "core/exit_code.h"
#include "core/log.h"
#include "files/environment.h"
#include "files/writable_check.h"
#include "generate/batch_size.h"
#include "generate/begun_run.h"
#include "generate/device_kernels.h"
#include "generate/drift_files.h"
#include "generate/head_files.h"
#include "generate/memory_warning.h"
#include "generate/model_fit.h"
#include "generate/session.h"
#include "generate/settings.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/generator.h"
#include "run/signals.h"
#include "run/status.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

std::vector<int64_t> chosen_classes(const EvalOptions& options, int64_t class_count) {
  std::vector<int64_t> classes = options.classes;
  if (classes.empty()) {
    classes.resize(static_cast<size_t>(class_count));
    std::iota(classes.begin(), classes.end(), 0);
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
  log_warning(concat("ignored, because they have no effect here: ", names));
}

void warn_of_memory(int64_t weights, int64_t processes) {
  const auto room = memory_room(own_environment);
  if (const std::string warning = memory_warning(weights, room, processes); !warning.empty()) {
    log_warning(warning);
  }
}

void warn_of_idle_caches(const std::optional<LazyOptions>& lazy, const SamplingOptions& sampling) {
  if (lazy && !lazy->token && !lazy->head && !sampling.guided()) {
    log_warning(
        "--lazy_caches condition has no effect without guidance (--cfg 1); this run is plain MAR");
  }
}

/// No options but a --method: what a run folder's name does not say.
EvalOptions with_preset(const std::string& method) {
  EvalOptions options;
  if (!method.empty()) {
    row_named(eval_rows(), "method").field.read(options, method);
  }
  return options;
}

/// Before weights are loaded; the run folder's own name is known only afterwards.
void check_output_places(const EvalOptions& options) {
  check_output_folder(options.output_dir / options.model.model, "--output_dir");
  if (options.record_drift) {
    check_output_folder(*options.record_drift, "--record_drift");
  }
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
  summary.step_kinds = step_kinds(generator.plan().steps);
  summary.threads = at::get_num_threads();
  summary.baseline_rows = generator.baseline_work();
  return summary;
}

Compute begin(const EvalOptions& options, const LauncherEnv& env) {
  watch_stop_signals(options.grace);
  warn_of_ignored(options);
  (void)resolve_kernel_choice(options.kernels);  // refused before anything is read
  Compute compute =
      start_computing({options.device, options.precision, options.cuda_graphs, options.head_blocks,
                       options.threads, env.local_rank, env.local_size});
  if (!options.precision.is_auto()) {
    log_info(concat("precision: ", to_string(compute.precision)));
  }
  log_info(concat("threads: ", compute.threads));
  check_output_places(options);
  return compute;
}

void check_recording_sizes(const EvalOptions& options, const Generator& generator, int64_t batch) {
  if (options.record_drift) {
    check_drift_size(generator.model().mar.config, generator.plan(), batch);
  }
  if (options.record_head) {
    check_head_size(generator, *options.record_head, batch);
  }
}

void record(const EvalOptions& options, const ordered_json& settings, const LauncherEnv& env,
            const RunFolder& folder, Generator& generator) {
  if (options.record_drift) {
    record_drift(options, settings, env, folder, generator);
  }
  if (options.record_head) {
    record_head(options, settings, generator);
  }
}

}  // namespace

ExitCode evaluate(const EvalOptions& given, const LauncherEnv& launched) {
  LauncherEnv env = launched;
  env.joins = given.join;
  const Compute compute = begin(given, env);
  const c10::Device device = compute.device;
  // Cheap checks come first, before gigabytes are read.
  const OpenModel files = open_model(given.model);
  const EvalOptions options = fit_to_model(given, files.shape);
  const std::unique_ptr<const RunScoring> scoring = make_run_scoring(options, device);
  EvalOptions resolved = resolve(options, files.shape.recommended, device);
  EvalOptions usual = resolve(with_preset(options.method), files.shape.recommended, device);
  const int64_t usual_batch = *usual.eval_bsz;
  usual.eval_bsz = std::min(usual_batch, options.num_images);
  const std::filesystem::path path =
      options.output_dir / options.model.model / settings_name(resolved, usual);
  if (env.rank == 0) {
    advise_int8(options.precision, files.shape.mar);
  }
  resolved.precision = begun_precision(options, env, path, files.shape, device);
  const Precision precision = resolved.precision;
  const int64_t weights = weight_bytes(files, precision);
  if (device.is_cpu() && env.local_rank == 0) {
    warn_of_memory(weights, env.local_size);
  }
  const auto model = std::make_shared<const Networks>(load_model(files, {precision, device}));
  warn_of_idle_caches(options.lazy, resolved.sampling);
  const KernelReport kernels =
      check_kernels(options, *model, resolved.sampling.guided(), usual_batch, device);
  const std::vector<int64_t> classes = chosen_classes(options, model->mar.config.class_count);
  const DecodingMethod method = resolve_method(options, model->recommended);
  Generator generator(model, method, options.model.seed);
  note_kernels(kernels, path, resolved);
  if (options.auto_batch) {
    resolved.eval_bsz = automatic_batch(resolved, env, generator, path, usual_batch, weights);
  }
  check_recording_sizes(options, generator, *resolved.eval_bsz);
  ordered_json settings = settings_json(resolved);
  note_graphs(kernels, options, settings);
  const RunFolder folder({path, options.overwrite, options.num_images, options.stall, options.join},
                         env, settings);
  env.rank = folder.rank();
  env.size = folder.size();
  record(options, settings, env, folder, generator);
  log_to_file(folder.info() / concat("lazymar_eval.", env.rank, ".log"));

  const ShardPlan plan(options.num_images, *resolved.eval_bsz);
  std::optional<StatusReporter> reporter;
  if (env.rank == 0) {
    reporter.emplace(folder.info(), plan);
  }
  RunSummary summary = describe(options, generator, folder, settings);
  note_kernels(kernels, options, summary);
  Session evaluation(options, env, plan, classes, generator, folder, std::move(summary),
                     scoring.get());
  evaluation.before_output([&reporter] { reporter.reset(); });
  if (!precision->retry_in.empty()) {
    evaluation.retry_with([&] {
      return std::make_unique<Generator>(
          std::make_shared<const Networks>(
              load_model(files, {parse_precision(precision->retry_in), device})),
          method, options.model.seed);
    });
  }
  return evaluation.run();
}

}  // namespace lazymar
