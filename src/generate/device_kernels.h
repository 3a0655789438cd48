#pragma once
/// Which code computes a run on a GPU: its check at the start, and what settings and summary say.

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>

#include "generate/options.h"
#include "generate/summary.h"
#include "pipeline/kernel_check.h"
#include "pipeline/model_files.h"

namespace lazymar {

/// settle_kernels() for batches of `batch` images.
KernelReport check_kernels(const EvalOptions& options, const Networks& model, bool guided,
                           int64_t batch, c10::Device device);

/// Puts what computes into a run's settings, so that a run is not continued by other code. On a CPU
/// these are the defaults. A worker that is started again after a fault of its GPU keeps the
/// settings of the run in `path`: its shards are marked instead.
void note_kernels(const KernelReport& report, const std::filesystem::path& path,
                  EvalOptions& resolved);

/// Puts into a run's settings whether graphs are replayed; nothing on a CPU.
void note_graphs(const KernelReport& report, const EvalOptions& options,
                 nlohmann::ordered_json& settings);

/// Kernels and graphs for the summary; nothing on a CPU.
void note_kernels(const KernelReport& report, const EvalOptions& options, RunSummary& summary);

}  // namespace lazymar
