#include "run/shard_writer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "formats/png.h"

namespace lazymar {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

std::string taken_over(int64_t shard) {
  return concat(
      "shard ", shard,
      ": this process stood still, and another one has taken it over; nothing is written");
}

ShardWriter::ShardWriter(const ImageFiles& files, Journal& journal, Claims& claims,
                         const FaultInjection& faults, int64_t encoders)
    : files_(files),
      journal_(journal),
      claims_(claims),
      faults_(faults),
      encoders_(encoders),
      thread_([this] { work(); }) {}

ShardWriter::~ShardWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ShardWriter::submit(RawShard shard) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !waiting_ || error_; });
  rethrow();
  waiting_ = std::move(shard);
  changed_.notify_all();
}

void ShardWriter::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (!waiting_ && !writing_) || error_; });
  rethrow();
}

void ShardWriter::rethrow() const {
  if (error_) {
    std::rethrow_exception(error_);
  }
}

void ShardWriter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return waiting_ || ending_; });
    if (!waiting_ || error_) {
      return;
    }
    RawShard shard = std::move(*waiting_);
    waiting_.reset();
    writing_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr error;
    try {
      write(shard);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    writing_ = false;
    error_ = error;
    changed_.notify_all();
  }
}

void ShardWriter::write(RawShard& shard) {
  const auto start = std::chrono::steady_clock::now();
  ShardRecord& record = shard.record;
  if (!claims_.holds(std::to_string(record.shard))) {
    log_warning(taken_over(record.shard));
    claims_.release(std::to_string(record.shard));  // forgets it, and leaves the file alone
    return;
  }
  if (faults_.strikes(FaultKind::kDiskFull, record.shard)) {
    throw output_error("shard ", record.shard, ": cannot write: ", std::strerror(ENOSPC), " (",
                       kFaultVariable, ")");
  }
  record.images =
      files_.store(record.shard, encode(shard), shard.previous ? &*shard.previous : nullptr);
  record.png_seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  if (shard.companion) {
    shard.companion(record);
  }
  record.finished = Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
  journal_.append(record);
  // After the journal: if a process finds no claim, it must find the shard finished.
  claims_.release(std::to_string(record.shard));
}

std::vector<EncodedImage> ShardWriter::encode(const RawShard& shard) const {
  std::vector<EncodedImage> encoded(shard.images.size());
  const auto bytes = static_cast<size_t>(shard.width * shard.height * 3);
  std::atomic<size_t> next{0};
  const auto encode_some = [&] {
    for (size_t i; (i = next.fetch_add(1)) < encoded.size();) {
      const RawImage& image = shard.images[i];
      encoded[i] = {image.id, encode_png({image.pixels.get(), bytes}, shard.width, shard.height,
                                         image.text())};
    }
  };
  std::vector<std::exception_ptr> errors(static_cast<size_t>(encoders_));
  std::vector<std::thread> threads;
  threads.reserve(errors.size());
  for (std::exception_ptr& error : errors) {
    threads.emplace_back([&encode_some, &error] {
      try {
        encode_some();
      } catch (...) {
        error = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
  return encoded;
}

}  // namespace lazymar
