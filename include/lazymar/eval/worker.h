#pragma once
/// One process's part of a run: blocks of images, until the set is complete.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "lazymar/eval/block_maker.h"
#include "lazymar/eval/generator.h"
#include "lazymar/eval/options.h"
#include "lazymar/eval/run_scores.h"
#include "lazymar/run/block_plan.h"
#include "lazymar/run/block_writer.h"
#include "lazymar/run/claims.h"
#include "lazymar/run/faults.h"
#include "lazymar/run/image_files.h"
#include "lazymar/run/journal.h"
#include "lazymar/run/run_folder.h"
#include "lazymar/run/world.h"

namespace lazymar {

/// What a worker came to.
enum class Progress {
  kComplete,  ///< nothing is left to do for anybody
  kStopped,   ///< asked to stop
};

class Worker {
 public:
  /// `classes`: what label_of() takes. `text`: what the PNG of an image says of itself, asked for
  /// on threads of the writer. `scoring` takes features of every block; may be null. It, generator
  /// and folder must outlive the worker.
  Worker(const EvalOptions& options, const World& world, const BlockPlan& plan,
         std::vector<int64_t> classes, Generator& generator, const RunFolder& folder,
         std::function<PngText(int64_t id)> text, const RunScoring* scoring);

  /// Claims and makes blocks until every block is finished, or failed in this launch, or until it
  /// is asked to stop; its own blocks are on the disk then. Calls `between_blocks` before each.
  /// Throws Error.
  Progress run(const std::function<void()>& between_blocks);

  /// See BlockMaker.
  void retry_with(BlockMaker::MakeGenerator exact) { maker_.retry_with(std::move(exact)); }

  /// The whole run as the journals have it now.
  const JournalReader& journal();
  const ImageFiles& files() const { return files_; }
  /// True: this process is the one that checks the set (see check()).
  bool take_check() { return claims_.take("check"); }
  void release_check() { claims_.release("check"); }
  /// Signs of life from what takes long.
  void keep_fresh();
  /// Looks at the files of every finished block; damaged blocks are to be made again. Returns how
  /// many blocks are to be made.
  int64_t check(bool deep);

 private:
  bool settled(int64_t block) const;
  void forget_settled();
  std::optional<int64_t> claim();
  void make(int64_t block);
  BlockRecord new_record(int64_t block);
  /// The block in flight: waits for it and hands it over.
  void complete();
  void strike(int64_t block);
  void look_around(double done);
  void hand_over(const GeneratedBlock& made, BlockRecord record);
  BlockCompanion take_features(const GeneratedBlock& made, int64_t block);

  World world_;
  BlockPlan plan_;
  const RunFolder& folder_;
  std::function<PngText(int64_t)> text_;
  const RunScoring* scoring_;
  Faults faults_;
  BlockMaker maker_;
  ImageFiles files_;
  Journal journal_;
  JournalReader finished_;
  Claims claims_;
  BlockWriter writer_;               ///< uses the four above
  std::vector<int64_t> candidates_;  ///< blocks not known to be settled, in the order to try them
  /// What a GPU still works at while the next block is started.
  std::optional<BlockMaker::Started> in_flight_;
  bool first_ = true;
  std::chrono::steady_clock::time_point block_started_;
};

}  // namespace lazymar
