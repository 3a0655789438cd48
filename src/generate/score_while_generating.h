#pragma once
/// lazymar_eval --score: features while generating, scores at the end.

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/shard_plan.h"
#include "run/shard_writer.h"

namespace lazymar {

/// Scores a run's images for --score.
class RunScoring {
 public:
  virtual ~RunScoring() = default;

  /// Processes a shard's usable images, from the pixels that its PNGs will have. The returned
  /// function, which may be empty, is called once the PNGs are in place. `between`: called between
  /// batches; may throw.
  virtual ShardCompanion take(const GeneratedBatch& made, const ShardIds& ids,
                              const std::filesystem::path& run,
                              const std::function<void()>& between) const = 0;

  /// Scores the run, prints the scores and writes them to its info/. Another thread calls `alive`
  /// continually. Throws Error (incomplete) if it is asked to stop while reading images back.
  virtual void finish(const std::filesystem::path& run,
                      const std::function<void()>& alive) const = 0;
};

/// Null if --score was not given. For a reference, loads the extractor and checks the reference, so
/// that errors in either are reported before the first image. Throws Error (usage).
std::unique_ptr<const RunScoring> make_run_scoring(const EvalOptions& options, c10::Device device);

}  // namespace lazymar
