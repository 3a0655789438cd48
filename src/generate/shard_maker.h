#pragma once
/// Generates a shard; retries on out-of-memory and on non-finite output.

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
  /// `classes`: the classes to draw from (label_of() in core/labels.h). Generator and faults must
  /// outlive it.
  ShardMaker(const EvalOptions& options, const ShardPlan& plan, std::vector<int64_t> classes,
             Generator& generator, const FaultInjection& faults);

  /// If an image is unusable again after a retry, it is recomputed with the generator that `exact`
  /// makes: the same images in a higher precision. That generator is created when needed and then
  /// dropped.
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

  /// Starts shard `record.shard` (Generator::start). If memory runs out, it halves the images
  /// computed at once and notes that in the record. With --oom fail it throws Error (usage)
  /// instead.
  Started start(ShardRecord record, const StepCallback& step);

  /// Waits for it. If an image is unusable, it recomputes the shard; the record notes that, and
  /// which images stayed unusable.
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
  int64_t short_shards_ = 0;  ///< consecutive shards that did not fit in memory whole
  int64_t micro_batch_ = 0;   ///< images at a time that did fit
};

}  // namespace lazymar
