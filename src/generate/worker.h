#pragma once
/// One process's part of a run: shards of images, until the set is complete.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "generate/options.h"
#include "generate/score_while_generating.h"
#include "generate/shard_maker.h"
#include "pipeline/generator.h"
#include "run/claims.h"
#include "run/fault_injection.h"
#include "run/image_files.h"
#include "run/journal.h"
#include "run/launcher_env.h"
#include "run/run_folder.h"
#include "run/shard_plan.h"
#include "run/shard_writer.h"

namespace lazymar {

/// How a worker ended.
enum class Progress {
  kComplete,  ///< no work is left
  kStopped,   ///< asked to stop
};

class Worker {
 public:
  /// `classes`: for label_of(). `text`: metadata of an image's PNG, called on the writer's threads.
  /// `scoring` computes features of every shard; may be null. It, generator and folder must outlive
  /// the worker.
  Worker(const EvalOptions& options, const LauncherEnv& env, const ShardPlan& plan,
         std::vector<int64_t> classes, Generator& generator, const RunFolder& folder,
         std::function<PngText(int64_t id)> text, const RunScoring* scoring);

  /// Claims and makes shards until every shard is finished, or failed in this launch, or until it
  /// is asked to stop; its own shards are then on disk. Calls `between_shards` before each. Throws
  /// Error.
  Progress run(const std::function<void()>& between_shards);

  /// See ShardMaker.
  void retry_with(ShardMaker::MakeGenerator exact) { maker_.retry_with(std::move(exact)); }

  /// The whole run according to the journals.
  const JournalReader& journal();
  const ImageFiles& files() const { return files_; }
  /// True: this process is the one that checks the set (see check()).
  bool take_check() { return claims_.take("check"); }
  void release_check() { claims_.release("check"); }
  /// Heartbeats during long work; true if it sent some.
  bool keep_fresh();
  /// Checks the files of every finished shard; withdraws damaged shards. Returns the number of
  /// shards to make.
  int64_t check(bool deep);

 private:
  bool settled(int64_t shard) const;
  void forget_settled();
  std::optional<int64_t> claim();
  void make(int64_t shard);
  ShardRecord new_record(int64_t shard);
  /// The shard in flight: waits for it and hands it over.
  void complete();
  void strike(int64_t shard);
  void look_around(double done);
  void hand_over(const GeneratedBatch& made, ShardRecord record);
  ShardCompanion take_features(const GeneratedBatch& made, int64_t shard);

  LauncherEnv env_;
  ShardPlan plan_;
  const RunFolder& folder_;
  std::function<PngText(int64_t)> text_;
  const RunScoring* scoring_;
  FaultInjection faults_;
  ShardMaker maker_;
  ImageFiles files_;
  Journal journal_;
  JournalReader finished_;
  Claims claims_;
  ShardWriter writer_;               ///< uses the four above
  std::vector<int64_t> candidates_;  ///< shards not known to be settled, in the order to try them
  /// The shard that a GPU still computes while the next one is started.
  std::optional<ShardMaker::Started> in_flight_;
  int64_t computing_ = 0;  ///< the shard that was started last
  bool first_ = true;
  std::chrono::steady_clock::time_point shard_started_;
};

}  // namespace lazymar
