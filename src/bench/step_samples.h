#pragma once
/// What all decoding steps take, from a few of each kind.

#include <cstdint>
#include <vector>

#include "core/cost.h"
#include "flops/flop_formula.h"

namespace lazymar {

/// Steps of one kind do the same on more or fewer rows: the first one (whose z comes out of a
/// table), full ones, and lazy ones by the share of rows that is recomputed.
class StepSamples {
 public:
  /// At most `per_kind` (1 or more) steps of each kind are measured, spread over the run, and those
  /// that predict the fewest and the most tokens. Steps that those need before them, for their
  /// caches and rows to be as in a whole run, are computed too.
  StepSamples(const Workload& workload, int64_t images, int64_t per_kind);

  bool computed(const DecodeStep& step) const { return steps_[at(step)].computed; }
  bool measured(const DecodeStep& step) const { return steps_[at(step)].measured; }
  int64_t measured_count() const;

  /// A measured step took so long. Void again after sum().
  void add(const DecodeStep& step, const StageSeconds& seconds);

  /// Seconds of all steps, by stage. Between measured steps of one kind, encoder and decoder are
  /// interpolated over their FLOPs; the head's over its own, whatever the kind of step: its cache
  /// does not follow the steps. Before: add() for each measured step.
  StageSeconds sum();

 private:
  struct Step {
    double kind = 0;
    FlopCount flops;
    bool measured = false;
    bool computed = false;
    StageSeconds seconds;
  };

  static size_t at(const DecodeStep& step) { return static_cast<size_t>(step.index); }
  void choose(int64_t per_kind);
  void choose_extremes(const std::vector<DecodeStep>& plan);
  void complete(const FlopFormula& formula);

  std::vector<Step> steps_;
};

}  // namespace lazymar
