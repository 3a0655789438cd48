#pragma once
/// Blocks of images, whatever memory and arithmetic do.

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "lazymar/eval/generator.h"
#include "lazymar/eval/options.h"
#include "lazymar/run/block_plan.h"
#include "lazymar/run/faults.h"
#include "lazymar/run/journal.h"

namespace lazymar {

/// Class of image i: classes[floor(i * K / num_images)]. Sorted and balanced, and what the original
/// takes where K divides num_images.
int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images);

/// Called before each decoding step with the share of the block that is done. May throw.
using StepCallback = std::function<void(double)>;

class BlockMaker {
 public:
  /// `classes`: what label_of() takes. Generator and faults must outlive it.
  BlockMaker(const EvalOptions& options, const BlockPlan& plan, std::vector<int64_t> classes,
             Generator& generator, const Faults& faults);

  /// Where an image stays unusable, it is tried once more with the generator that `exact` makes: of
  /// the same images, in a precision that rounds less. It is made when it is needed, and dropped.
  using MakeGenerator = std::function<std::unique_ptr<Generator>()>;
  void retry_with(MakeGenerator exact) { exact_ = std::move(exact); }

  /// A block under way.
  struct Started {
    BlockRecord record;
    std::vector<int64_t> ids;
    std::vector<Generator::BlockInFlight> parts;  ///< images computed at once, one after another
    int64_t micro_batch = 0;                      ///< images of a part
    StepCallback step;
  };

  /// Starts block `record.block` (Generator::start). Where memory is short it halves the images
  /// computed at once; the record tells. Throws Error (usage) where memory is short and --oom fail
  /// was given.
  Started start(BlockRecord record, const StepCallback& step);

  /// Waits for it. Where an image comes out unusable it computes the block once more; the record
  /// tells that, and which images stayed unusable.
  GeneratedBlock finish(Started& block);

  bool overlaps() const { return generator_.overlaps(); }

 private:
  void start_parts(Started& block);
  GenerationHooks hooks(const std::vector<int64_t>& ids, std::function<void(double)> step);
  static GeneratedBlock finish_parts(const Started& block);
  void recompute(Started& block, GeneratedBlock& made);
  void recompute_exactly(const Started& block, const std::vector<int64_t>& slots,
                         GeneratedBlock& made);
  int64_t label(int64_t id) const;

  bool halve_on_oom_;
  BlockPlan plan_;
  std::vector<int64_t> classes_;
  Generator& generator_;
  const Faults& faults_;
  MakeGenerator exact_;
  int64_t short_blocks_ = 0;  ///< how many blocks in a row did not fit into memory whole
  int64_t micro_batch_ = 0;   ///< images at a time that did fit
};

}  // namespace lazymar
