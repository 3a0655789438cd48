#include "generate/worker.h"

#include <ATen/core/Tensor.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "files/environment.h"
#include "nn/capture.h"
#include "pipeline/kernel_check.h"
#include "run/signals.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

/// Share of the grace that computing may take; the rest is for writing.
constexpr double kComputingShare = 0.8;
constexpr std::chrono::milliseconds kPause(200);

/// Thrown to drop a shard that would not finish within the grace period.
struct ShardDropped {};

}  // namespace

Worker::Worker(const EvalOptions& options, const LauncherEnv& env, const ShardPlan& plan,
               std::vector<int64_t> classes, Generator& generator, const RunFolder& folder,
               std::function<PngText(int64_t)> text, const RunScoring* scoring)
    : env_(env),
      plan_(plan),
      folder_(folder),
      text_(std::move(text)),
      scoring_(scoring),
      faults_(text_of(own_environment, kFaultVariable), folder.info() / "faults"),
      maker_(options, plan, std::move(classes), generator, faults_),
      files_(folder.path(), options.few_files, options.durability, env.rank),
      journal_(folder.info(), env.rank, options.durability != Durability::kNone),
      finished_(folder.info(), plan),
      claims_(folder.info() / "claims", env.rank, options.stall),
      writer_(files_, journal_, claims_, faults_, options.png_threads),
      candidates_(plan.visiting_order(env.rank, env.size)) {}

Progress Worker::run(const std::function<void()>& between_shards) {
  while (!stop_request()) {
    between_shards();
    if (const std::optional<int64_t> shard = claim()) {
      make(*shard);
      continue;
    }
    complete();
    // The remaining shards are claimed: by this process, whose writer is still busy, or by others.
    writer_.finish();
    forget_settled();
    if (candidates_.empty()) {
      return Progress::kComplete;
    }
    folder_.member().set_state("waiting");
    folder_.member().keep_fresh();
    std::this_thread::sleep_for(kPause);
  }
  complete();
  writer_.finish();
  return Progress::kStopped;
}

const JournalReader& Worker::journal() {
  finished_.refresh();
  return finished_;
}

bool Worker::settled(int64_t shard) const {
  const ShardRecord* record = finished_.finished(shard);
  return record != nullptr && (record->failed.empty() || record->launch == folder_.session());
}

void Worker::forget_settled() {
  finished_.refresh();
  std::erase_if(candidates_, [this](int64_t shard) { return settled(shard); });
}

std::optional<int64_t> Worker::claim() {
  forget_settled();
  for (const int64_t shard : candidates_) {
    if (!claims_.take(std::to_string(shard))) {
      continue;
    }
    // Its holder may have finished it between the two checks.
    finished_.refresh();
    if (!settled(shard)) {
      return shard;
    }
    claims_.release(std::to_string(shard));
  }
  return std::nullopt;
}

ShardRecord Worker::new_record(int64_t shard) {
  ShardRecord record;
  record.shard = shard;
  record.attempt = finished_.next_attempt(shard);
  record.rank = env_.rank;
  record.launch = folder_.session();
  record.first = std::exchange(first_, false);
  record.computed_by = restarted_after_device_fault() ? "plain kernels, after a fault of the GPU"
                       : !capture_failure().empty()   ? "launches, because a CUDA graph failed"
                                                      : "";
  return record;
}

void Worker::make(int64_t shard) {
  folder_.member().set_state(concat("shard ", shard));
  std::optional<ShardMaker::Started> next;
  try {
    shard_started_ = Clock::now();
    computing_ = shard;
    strike(shard);
    next = maker_.start(new_record(shard), [this](double done) { look_around(done); });
  } catch (const ShardDropped&) {
    claims_.release(std::to_string(shard));
  } catch (...) {
    complete();  // finished work is not lost
    throw;
  }
  complete();
  in_flight_ = std::move(next);
  if (!maker_.overlaps()) {
    complete();
  }
}

void Worker::complete() {
  std::optional<ShardMaker::Started> shard = std::exchange(in_flight_, std::nullopt);
  if (!shard) {
    return;
  }
  try {
    const GeneratedBatch made = maker_.finish(*shard);
    hand_over(made, std::move(shard->record));
  } catch (const ShardDropped&) {
    claims_.release(std::to_string(shard->record.shard));
  }
}

void Worker::hand_over(const GeneratedBatch& made, ShardRecord record) {
  const ShardIds ids = plan_.ids(record.shard);
  record.seconds = made.seconds;
  record.steps = made.steps;
  record.flops = made.work.flops;
  record.block_rows = made.work.block_rows;
  record.head_rows = made.work.head_rows;
  RawShard shard;
  shard.height = made.pixels.size(1);
  shard.width = made.pixels.size(2);
  for (int64_t slot = 0; slot < ids.count; ++slot) {
    if (!made.sound[static_cast<size_t>(slot)]) {
      continue;
    }
    const at::Tensor image = made.pixels[slot];
    // The deleter holds the tensor for as long as its pixels are needed.
    const int64_t id = ids.first + slot;
    shard.images.push_back({id,
                            {image.const_data_ptr<uint8_t>(), [image](const uint8_t*) {}},
                            [this, id] { return text_(id); }});
  }
  if (const ShardRecord* previous = finished_.latest(record.shard)) {
    shard.previous = *previous;
  }
  shard.companion = take_features(made, record.shard);
  shard.record = std::move(record);
  writer_.submit(std::move(shard));
}

ShardCompanion Worker::take_features(const GeneratedBatch& made, int64_t shard) {
  if (scoring_ == nullptr) {
    return {};
  }
  return scoring_->take(made, plan_.ids(shard), folder_.path(), [this] { keep_fresh(); });
}

bool Worker::keep_fresh() {
  const bool looked = claims_.keep_fresh();
  folder_.member().keep_fresh();
  return looked;
}

void Worker::look_around(double done) {
  if (keep_fresh() && !claims_.holds(std::to_string(computing_))) {
    log_warning(taken_over(computing_));
    throw ShardDropped();
  }
  const std::optional<StopRequest> stop = stop_request();
  if (!stop) {
    return;
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - shard_started_).count();
  const double left =
      done > 0 ? elapsed * (1 - done) / done : std::numeric_limits<double>::infinity();
  if (left > kComputingShare * stop->seconds_left) {
    throw ShardDropped();
  }
}

void Worker::strike(int64_t shard) {
  if (faults_.strikes(FaultKind::kKill, shard)) {
    std::raise(SIGKILL);
  }
  if (faults_.strikes(FaultKind::kTerminate, shard)) {
    ::kill(::getpid(), SIGTERM);
    while (!stop_request()) {  // another thread takes it
      std::this_thread::sleep_for(kPause);
    }
  }
  if (faults_.strikes(FaultKind::kDevice, shard)) {
    throw Error(ErrorKind::kInternal,
                concat("shard ", shard, ": device error (", kFaultVariable, ")"));
  }
  if (faults_.strikes(FaultKind::kSticky, shard)) {
    throw std::runtime_error(concat("CUDA error: an illegal memory access was encountered (shard ",
                                    shard, ", ", kFaultVariable, ")"));
  }
  if (faults_.strikes(FaultKind::kStall, shard)) {
    while (!stop_request()) {
      std::this_thread::sleep_for(kPause);
    }
  }
}

int64_t Worker::check(bool deep) {
  for (const ShardRecord* record : journal().finished()) {
    const std::string damage = files_.damage(*record, deep);
    if (!damage.empty()) {
      log_warning(concat("shard ", record->shard, ": ", damage, "; regenerating"));
      journal_.undo(record->shard, record->attempt);
    }
  }
  // All unfinished shards: an earlier check by another process may have found damage too.
  candidates_ = plan_.visiting_order(env_.rank, env_.size);
  forget_settled();
  return static_cast<int64_t>(candidates_.size());
}

}  // namespace lazymar
