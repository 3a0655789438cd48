#include "lazymar/eval/worker.h"

#include <ATen/core/Tensor.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "lazymar/core/error.h"
#include "lazymar/run/log.h"
#include "lazymar/run/signals.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

/// Share of the grace that computing may take; the rest is for writing.
constexpr double kComputingShare = 0.8;
constexpr std::chrono::milliseconds kPause(200);

/// Thrown out of a block that would not be done within the grace.
struct BlockDropped {};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

Worker::Worker(const EvalOptions& options, const World& world, const BlockPlan& plan,
               std::vector<int64_t> classes, Generator& generator, const RunFolder& folder,
               std::function<PngText(int64_t)> text, const RunScoring* scoring)
    : world_(world),
      plan_(plan),
      folder_(folder),
      text_(std::move(text)),
      scoring_(scoring),
      faults_(environment(kFaultVariable), folder.info() / "faults"),
      maker_(options, plan, std::move(classes), generator, faults_),
      files_(folder.path(), options.few_files, options.durability, world.rank),
      journal_(folder.info(), world.rank, options.durability != Durability::kNone),
      finished_(folder.info(), plan),
      claims_(folder.info() / "claims", world.rank, options.stall),
      writer_(files_, journal_, claims_, faults_, options.png_threads),
      candidates_(plan.visiting_order(world.rank, world.size)) {}

Progress Worker::run(const std::function<void()>& between_blocks) {
  while (!stop_request()) {
    between_blocks();
    if (const std::optional<int64_t> block = claim()) {
      make(*block);
      continue;
    }
    complete();
    // What is left is claimed: by this process, whose writer is busy with it, or by others.
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

bool Worker::settled(int64_t block) const {
  const BlockRecord* record = finished_.finished(block);
  return record != nullptr && (record->failed.empty() || record->launch == folder_.session());
}

void Worker::forget_settled() {
  finished_.refresh();
  std::erase_if(candidates_, [this](int64_t block) { return settled(block); });
}

std::optional<int64_t> Worker::claim() {
  forget_settled();
  for (const int64_t block : candidates_) {
    if (!claims_.take(std::to_string(block))) {
      continue;
    }
    // Its holder may have finished it between the two looks.
    finished_.refresh();
    if (!settled(block)) {
      return block;
    }
    claims_.release(std::to_string(block));
  }
  return std::nullopt;
}

BlockRecord Worker::new_record(int64_t block) {
  BlockRecord record;
  record.block = block;
  record.attempt = finished_.next_attempt(block);
  record.rank = world_.rank;
  record.launch = folder_.session();
  record.first = std::exchange(first_, false);
  return record;
}

void Worker::make(int64_t block) {
  folder_.member().set_state(concat("block ", block));
  std::optional<BlockMaker::Started> next;
  try {
    block_started_ = Clock::now();
    strike(block);
    next = maker_.start(new_record(block), [this](double done) { look_around(done); });
  } catch (const BlockDropped&) {
    claims_.release(std::to_string(block));
  } catch (...) {
    complete();  // what is finished is not lost
    throw;
  }
  complete();
  in_flight_ = std::move(next);
  if (!maker_.overlaps()) {
    complete();
  }
}

void Worker::complete() {
  std::optional<BlockMaker::Started> block = std::exchange(in_flight_, std::nullopt);
  if (!block) {
    return;
  }
  try {
    const GeneratedBlock made = maker_.finish(*block);
    hand_over(made, std::move(block->record));
  } catch (const BlockDropped&) {
    claims_.release(std::to_string(block->record.block));
  }
}

void Worker::hand_over(const GeneratedBlock& made, BlockRecord record) {
  const BlockIds ids = plan_.ids(record.block);
  record.seconds = made.seconds;
  record.steps = made.steps;
  record.flops = made.work.flops;
  record.block_rows = made.work.block_rows;
  record.head_rows = made.work.head_rows;
  RawBlock block;
  block.height = made.pixels.size(1);
  block.width = made.pixels.size(2);
  for (int64_t slot = 0; slot < ids.count; ++slot) {
    if (!made.sound[static_cast<size_t>(slot)]) {
      continue;
    }
    const at::Tensor image = made.pixels[slot];
    // The deleter holds the tensor for as long as its pixels are needed.
    const int64_t id = ids.first + slot;
    block.images.push_back({id,
                            {image.const_data_ptr<uint8_t>(), [image](const uint8_t*) {}},
                            [this, id] { return text_(id); }});
  }
  if (const BlockRecord* previous = finished_.latest(record.block)) {
    block.previous = *previous;
  }
  block.companion = take_features(made, record.block);
  block.record = std::move(record);
  writer_.submit(std::move(block));
}

BlockCompanion Worker::take_features(const GeneratedBlock& made, int64_t block) {
  if (scoring_ == nullptr) {
    return {};
  }
  return scoring_->take(made, plan_.ids(block), folder_.path(), [this] { keep_fresh(); });
}

void Worker::keep_fresh() {
  claims_.keep_fresh();
  folder_.member().keep_fresh();
}

void Worker::look_around(double done) {
  keep_fresh();
  const std::optional<StopRequest> stop = stop_request();
  if (!stop) {
    return;
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - block_started_).count();
  const double left =
      done > 0 ? elapsed * (1 - done) / done : std::numeric_limits<double>::infinity();
  if (left > kComputingShare * stop->seconds_left) {
    throw BlockDropped();
  }
}

void Worker::strike(int64_t block) {
  if (faults_.strikes(FaultKind::kKill, block)) {
    std::raise(SIGKILL);
  }
  if (faults_.strikes(FaultKind::kTerminate, block)) {
    ::kill(::getpid(), SIGTERM);
    while (!stop_request()) {  // another thread takes it
      std::this_thread::sleep_for(kPause);
    }
  }
  if (faults_.strikes(FaultKind::kDevice, block)) {
    throw Error(ExitCode::kInternal,
                concat("block ", block, ": device error (", kFaultVariable, ")"));
  }
  if (faults_.strikes(FaultKind::kStall, block)) {
    while (!stop_request()) {
      std::this_thread::sleep_for(kPause);
    }
  }
}

int64_t Worker::check(bool deep) {
  for (const BlockRecord* record : journal().finished()) {
    const std::string damage = files_.damage(*record, deep);
    if (!damage.empty()) {
      log_warning(concat("block ", record->block, ": ", damage, ": is made again"));
      journal_.undo(record->block, record->attempt);
    }
  }
  // Not only what was found now: an earlier check of another process may have found damage too.
  candidates_ = plan_.visiting_order(world_.rank, world_.size);
  forget_settled();
  return static_cast<int64_t>(candidates_.size());
}

}  // namespace lazymar
