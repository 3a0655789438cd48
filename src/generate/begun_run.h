#pragma once
/// Settings that a run measures once: all its processes, later ones too, take what its manifest
/// says.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/precision.h"
#include "generate/options.h"
#include "pipeline/model_files.h"
#include "run/launcher_env.h"

namespace lazymar {

/// The setting of that name in the manifest, if the run has begun. If it has not, rank 0 gets
/// nothing at once: it has to choose; the others wait for the manifest, up to --stall seconds.
std::optional<nlohmann::json> begun_setting(const EvalOptions& options, const LauncherEnv& env,
                                            const std::filesystem::path& run_folder,
                                            const std::string& name);

/// The precision of a run: with "auto", that of the manifest, or what is measured here for this
/// model. Throws Error (usage) if this device does not compute in the manifest's.
Precision begun_precision(const EvalOptions& options, const LauncherEnv& env,
                          const std::filesystem::path& run_folder, const NetworkShape& shape,
                          c10::Device device);

}  // namespace lazymar
