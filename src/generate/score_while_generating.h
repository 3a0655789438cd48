#pragma once
/// lazymar_eval --score: features while images are made, scores at the end.

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

/// What --score does with a run's images.
class RunScoring {
 public:
  virtual ~RunScoring() = default;

  /// Looks at the sound images of a shard, at the pixels that its PNGs will have. What comes back
  /// is called once the PNGs are in place; it may be empty. `between`: called between batches; may
  /// throw.
  virtual ShardCompanion take(const GeneratedBatch& made, const ShardIds& ids,
                              const std::filesystem::path& run,
                              const std::function<void()>& between) const = 0;

  /// Scores what the run has, prints the scores and leaves them in its info/. `alive` is called all
  /// the time, by another thread. Throws Error (incomplete) where it is asked to stop while it
  /// reads images back.
  virtual void finish(const std::filesystem::path& run,
                      const std::function<void()>& alive) const = 0;
};

/// Null where --score was not given. For a reference, loads the extractor and looks whether the
/// reference can be used: what is wrong with either is said before the first image. Throws Error
/// (usage).
std::unique_ptr<const RunScoring> make_run_scoring(const EvalOptions& options, c10::Device device);

}  // namespace lazymar
