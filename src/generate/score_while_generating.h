#pragma once
/// lazymar_eval --score: features while images are made, scores at the end.

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "generate/options.h"
#include "metrics/extractor.h"
#include "pipeline/generator.h"
#include "run/shard_plan.h"
#include "run/shard_writer.h"

namespace lazymar {

class RunScoring {
 public:
  /// Loads the extractor, and looks whether the reference can be used: what is wrong with either is
  /// said before the first image. Throws Error (usage).
  RunScoring(const EvalOptions& options, c10::Device device);

  /// Features of the sound images of a shard, from the pixels that its PNGs will have. What comes
  /// back writes them to info/features/ once the PNGs are in place. `between`: called between
  /// batches; may throw.
  ShardCompanion take(const GeneratedBatch& made, const ShardIds& ids,
                      const std::filesystem::path& run, const std::function<void()>& between) const;

  /// Scores of what the run has: saved features, and images read back where there are none. Prints
  /// them and leaves them in info/scores.json. `alive` is called all the time, by another thread.
  /// Throws Error (incomplete) where it is asked to stop while it reads images back.
  void finish(const std::filesystem::path& run, const std::function<void()>& alive) const;

 private:
  std::filesystem::path reference_;
  int64_t threads_;
  std::unique_ptr<const FeatureExtractor> extractor_;
  std::string extractor_sha256_;
};

/// Null where --score was not given.
std::unique_ptr<const RunScoring> make_run_scoring(const EvalOptions& options, c10::Device device);

}  // namespace lazymar
