#pragma once
/// Estimates the cost of all decoding steps from a few of each kind.

#include <cstdint>
#include <vector>

#include "core/cost.h"
#include "flops/flop_formula.h"

namespace lazymar {

/// Steps of one kind do the same work on more or fewer rows: the first step (whose z comes from a
/// table), full steps, and lazy steps by the share of retained rows.
class StepSamples {
 public:
  /// At most `per_kind` (1 or more) steps of each kind are measured, spread over the run, and those
  /// that predict the fewest and the most tokens. Steps that they need before them, so that caches
  /// and rows are as in a whole run, are computed too.
  StepSamples(const Workload& workload, int64_t images, int64_t per_kind);

  bool computed(const DecodeStep& step) const { return steps_[at(step)].computed; }
  bool measured(const DecodeStep& step) const { return steps_[at(step)].measured; }
  int64_t measured_count() const;

  /// Adds the time of a measured step. Reset by sum().
  void add(const DecodeStep& step, const StageSeconds& seconds);

  /// Seconds of all steps, by stage. Between measured steps of one kind, encoder and decoder are
  /// interpolated over their FLOPs. The head is interpolated over its own FLOPs across all kinds,
  /// because its cache does not depend on them. Call add() for each measured step first.
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
