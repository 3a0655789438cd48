#include "generate/begun_run.h"

#include "core/log.h"
#include "pipeline/fastest_precision.h"
#include "run/run_folder.h"
#include "run/waiting.h"

namespace lazymar {

std::optional<nlohmann::json> begun_setting(const EvalOptions& options, const LauncherEnv& env,
                                            const std::filesystem::path& run_folder,
                                            const std::string& name) {
  if (options.overwrite && env.rank == 0 && !env.restarted) {
    return std::nullopt;
  }
  Waiting waiting(concat("for rank 0 to open ", run_folder.string()));
  while (true) {
    const auto settings = manifest_settings(run_folder);
    if (settings && settings->contains(name)) {
      return (*settings)[name];
    }
    if (env.rank == 0 || env.joins || waiting.seconds() > options.stall) {
      return std::nullopt;
    }
    waiting.pause();
  }
}

Precision begun_precision(const EvalOptions& options, const LauncherEnv& env,
                          const std::filesystem::path& run_folder, const NetworkShape& shape,
                          c10::Device device) {
  if (!options.precision.is_auto()) {
    return resolve_precision(options.precision, device.is_cpu());
  }
  if (!device.is_cpu()) {
    return automatic_precision(shape.mar, device);
  }
  const auto setting = begun_setting(options, env, run_folder, "precision");
  if (!setting || !setting->is_string()) {
    return automatic_precision(shape.mar, device);
  }
  const Precision precision =
      resolve_precision(parse_precision(setting->get<std::string>()), device.is_cpu());
  log_info(concat("precision: ", to_string(precision), " (as this run began)"));
  return precision;
}

}  // namespace lazymar
