#include <algorithm>
#include <cstdio>

#include "core/exit_code.h"
#include "core/log.h"
#include "core/text.h"
#include "files/environment.h"
#include "generate/command.h"
#include "generate/explain.h"
#include "pipeline/device.h"
#include "pipeline/kernel_check.h"
#include "run/supervisor.h"

namespace lazymar {
namespace {

/// How many workers to start on this host.
int64_t worker_count(const EvalOptions& options) {
  const bool chosen = options.device != "auto";
  const bool one_gpu = options.device.starts_with("cuda:");
  const bool on_gpus =
      options.device != "cpu" && (options.device != "auto" || cuda_device_count() > 0);
  const bool gpus_given = options.gpus || options.all_gpus;
  if (gpus_given && chosen && (one_gpu || !on_gpus)) {
    throw usage_error("--gpus and --device ", options.device,
                      one_gpu ? " both select GPUs; omit one of them"
                              : " contradict each other; on CPUs, use --workers");
  }
  if (gpus_given && !on_gpus) {
    throw usage_error(
        "--gpus: no GPU is visible (or this build has no CUDA); on CPUs, use --workers");
  }
  if (on_gpus && options.workers) {
    throw usage_error("--workers is for CPUs; with GPUs, ",
                      chosen ? concat("which --device ", options.device, " selects")
                             : "which are used if there are any",
                      ", there is one process per GPU; use --gpus, or --device cpu");
  }
  if (!on_gpus) {
    return options.workers.value_or(EvalOptions::kWorkers);
  }
  if (one_gpu) {
    return 1;
  }
  const int64_t visible = cuda_device_count();
  if (options.gpus && *options.gpus > visible) {
    throw usage_error("--gpus ", *options.gpus, ": only ", visible, " CUDA devices are visible");
  }
  return std::max<int64_t>(1, options.gpus.value_or(visible));
}

}  // namespace

ExitCode launch(const EvalOptions& options, char* const* argv) {
  if (options.explain) {
    std::fputs(visible(explain_method(options), /*keep_lines=*/true).c_str(), stdout);
    return ExitCode::kDone;
  }
  if (options.join && options.overwrite) {
    throw usage_error("--join: --overwrite would delete the run's images; omit one of them");
  }
  const LauncherEnv env = read_launcher_env(own_environment);
  if (env.launcher == Launcher::kOwn) {
    return evaluate(options, env);
  }
  if (env.launcher == Launcher::kExternal) {
    if (options.gpus || options.all_gpus || options.workers) {
      throw usage_error("--", options.workers ? "workers" : "gpus",
                        ": the launcher already started ", env.size,
                        " processes; omit the flag or the launcher");
    }
    if (env.size > 1 && options.device.starts_with("cuda:")) {
      throw usage_error("--device ", options.device, ": the launcher started ", env.size,
                        " processes with one GPU each; use --device cuda");
    }
    return evaluate(options, env);
  }
  SupervisorOptions supervisor;
  supervisor.workers = std::min(worker_count(options), options.num_images);
  supervisor.max_restarts = options.max_restarts;
  supervisor.grace = options.grace;
  supervisor.after_device_fault = concat(kKernelsVariable, "=", kPlainAfterFault);
  supervisor.warn = log_warning;
  return supervise(supervisor, argv);
}

}  // namespace lazymar
