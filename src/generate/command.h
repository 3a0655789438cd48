#pragma once
/// lazymar_eval: generates a set of images into a run folder.

#include "core/error.h"
#include "core/exit_code.h"
#include "generate/options.h"
#include "run/launcher_env.h"

namespace lazymar {

/// One process's part of a run: generates, writes PNGs, and stays until the set is complete and
/// checked. The process that checks it prints the summary and writes info/summary.json. Throws
/// Error: incomplete if asked to stop, failed if images have no usable result.
ExitCode evaluate(const EvalOptions& options, const LauncherEnv& env = {});

/// The command lazymar_eval: runs evaluate() as a process of a launcher, or starts workers that do.
/// Throws Error (usage) if launcher, --gpus, --workers and --device contradict each other.
ExitCode launch(const EvalOptions& options, char* const* argv);

}  // namespace lazymar
