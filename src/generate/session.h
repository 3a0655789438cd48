#pragma once
/// One process's part of a run, once everything is loaded.

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/exit_code.h"
#include "generate/contact_sheet.h"
#include "generate/run_weights.h"
#include "generate/score_while_generating.h"
#include "generate/summary.h"
#include "generate/thread_share.h"
#include "generate/worker.h"

namespace lazymar {

/// Shards, the check of the set, the summary.
class Session {
 public:
  /// `scoring` may be null. All references must outlive it.
  Session(const EvalOptions& options, const LauncherEnv& env, const ShardPlan& plan,
          const std::vector<int64_t>& classes, Generator& generator, const RunFolder& folder,
          RunSummary summary, const RunScoring* scoring);

  /// See ShardMaker.
  void retry_with(ShardMaker::MakeGenerator exact) { worker_.retry_with(std::move(exact)); }

  /// Called once the set is complete, before scores and the summary are printed.
  void before_output(std::function<void()> call) { before_output_ = std::move(call); }

  /// Throws Error: failed images, a stop before the end, files that cannot be written.
  ExitCode run();

 private:
  void report_ready() const;
  void settle_weights();
  bool may_check() const;
  PngText text(int64_t id);
  void wait();
  std::optional<ExitCode> check();
  std::optional<ExitCode> result_of_others() const;
  void count_shards();
  void write_summary(bool checked);
  ExitCode stopped();

  const EvalOptions& options_;
  LauncherEnv env_;
  ShardPlan plan_;
  std::vector<int64_t> classes_;
  const RunFolder& folder_;
  RunSummary summary_;
  ContactSheet sheet_;
  c10::Device device_;
  RunWeights weights_;
  const RunScoring* scoring_;
  ThreadShare threads_;
  Worker worker_;  ///< its writer calls text() until it ends
  std::optional<Preview> preview_;
  std::function<void()> before_output_ = [] {};
};

}  // namespace lazymar
