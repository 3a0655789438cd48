#pragma once
/// lazymar_eval: a set of images into a run folder.

#include "core/error.h"
#include "generate/options.h"
#include "run/launcher_env.h"

namespace lazymar {

/// One process's part of a run: generates, writes PNGs, and stays until the set is complete and
/// checked. Whoever checks it prints the summary and leaves it in info/summary.json.
/// Throws Error: incomplete where it is asked to stop, failed where images have no usable result.
ExitCode evaluate(const EvalOptions& options, const LauncherEnv& env = {});

/// lazymar_eval as started: evaluate() as a process of a launcher, or workers of its own that do
/// so. Throws Error (usage) where launcher, --gpus, --workers and --device contradict each other.
ExitCode launch(const EvalOptions& options, char* const* argv);

}  // namespace lazymar
