#pragma once
/// Shards of images, whatever memory and arithmetic do.

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "generate/options.h"
#include "pipeline/generator.h"
#include "run/fault_injection.h"
#include "run/journal.h"
#include "run/shard_plan.h"

namespace lazymar {

/// Called before each decoding step with the share of the shard that is done. May throw.
using StepCallback = std::function<void(double)>;

class ShardMaker {
 public:
  /// `classes`: what label_of() takes. Generator and faults must outlive it.
  ShardMaker(const EvalOptions& options, const ShardPlan& plan, std::vector<int64_t> classes,
             Generator& generator, const FaultInjection& faults);

  /// Where an image stays unusable, it is tried once more with the generator that `exact` makes: of
  /// the same images, in a precision that rounds less. It is made when it is needed, and dropped.
  using MakeGenerator = std::function<std::unique_ptr<Generator>()>;
  void retry_with(MakeGenerator exact) { exact_ = std::move(exact); }

  /// A shard under way.
  struct Started {
    ShardRecord record;
    std::vector<int64_t> ids;
    std::vector<Generator::BatchInFlight> parts;  ///< images computed at once, one after another
    int64_t micro_batch = 0;                      ///< images of a part
    StepCallback step;
  };

  /// Starts shard `record.shard` (Generator::start). Where memory is short it halves the images
  /// computed at once; the record tells. Throws Error (usage) where memory is short and --oom fail
  /// was given.
  Started start(ShardRecord record, const StepCallback& step);

  /// Waits for it. Where an image comes out unusable it computes the shard once more; the record
  /// tells that, and which images stayed unusable.
  GeneratedBatch finish(Started& shard);

  bool overlaps() const { return generator_.overlaps(); }

 private:
  void start_parts(Started& shard);
  GenerationHooks hooks(const std::vector<int64_t>& ids, std::function<void(double)> step);
  static GeneratedBatch finish_parts(const Started& shard);
  void recompute(Started& shard, GeneratedBatch& made);
  void recompute_exactly(const Started& shard, const std::vector<int64_t>& slots,
                         GeneratedBatch& made);
  int64_t label(int64_t id) const;

  bool halve_on_oom_;
  ShardPlan plan_;
  std::vector<int64_t> classes_;
  Generator& generator_;
  const FaultInjection& faults_;
  MakeGenerator exact_;
  int64_t short_shards_ = 0;  ///< how many shards in a row did not fit into memory whole
  int64_t micro_batch_ = 0;   ///< images at a time that did fit
};

}  // namespace lazymar
