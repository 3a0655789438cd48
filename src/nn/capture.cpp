#include "nn/capture.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "nn/device_fault.h"
#include "nn/device_ops.h"

namespace lazymar {
namespace {

bool captures = true;
bool compares = true;
std::string failure;
int64_t captured = 0;

/// Counts `work` by itself, also if it throws.
void count_alone(const std::function<void()>& work, WorkCount& count) {
  const WorkCount outside = std::exchange(work_count(), {});
  try {
    work();
  } catch (...) {
    work_count() = outside;
    throw;
  }
  count = std::exchange(work_count(), outside);
}

}  // namespace

bool is_device_out_of_memory(const std::exception& error) {
  const std::string_view said = error.what();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         said.find("CUDA error: out of memory") != std::string_view::npos ||
         said.find("CUBLAS_STATUS_ALLOC_FAILED") != std::string_view::npos;
}

std::unique_ptr<Capture> capture(c10::DeviceType device, const std::function<void()>& work) {
  if (!can_capture(device)) {
    return nullptr;
  }
  try {
    std::unique_ptr<Capture> made = device_ops(device)->capture(work);
    ++captured;
    return made;
  } catch (const CaptureFailed& error) {
    stop_capturing(error.what());
    return nullptr;
  }
}

bool can_capture(c10::DeviceType device) {
  const DeviceOps* ops = device_ops(device);
  return captures && failure.empty() && ops != nullptr && ops->capture != nullptr;
}

void enable_capture(bool on) {
  captures = on;
  failure.clear();
}

void stop_capturing(const std::string& reason) {
  if (failure.empty()) {
    failure = before_newline(reason);
    log_warning(concat("CUDA graphs are off from now on: ", failure,
                       "; every kernel is launched separately, which is slower"));
  }
}

const std::string& capture_failure() {
  return failure;
}

NoCaptures::NoCaptures() : before_(std::exchange(captures, false)) {}
NoCaptures::~NoCaptures() {
  captures = before_;
}

int64_t captured_works() {
  return captured;
}

void enable_replay_check(bool on) {
  compares = on;
}

bool checks_replays() {
  return compares;
}

bool accept_replay(const char* what, const at::Tensor& replayed, const at::Tensor& launched) {
  if (at::equal(replayed, launched)) {
    return true;
  }
  const at::Tensor expected = launched.to(c10::kDouble);
  const at::Tensor error = replayed.to(c10::kDouble) - expected;
  const double relative = (error.norm() / expected.norm()).item<double>();
  if (relative <= kReplayTolerance) {
    return true;
  }
  stop_capturing(concat(what, " replayed from a graph differs from launching it by ", relative,
                        " of its norm (", kReplayTolerance, " is tolerated)"));
  return false;
}

void release_eager_memory(c10::DeviceType device) {
  const DeviceOps* ops = device_ops(device);
  if (ops != nullptr && ops->release_memory != nullptr) {
    ops->release_memory();
  }
}

void make_room(at::Tensor& kept, at::IntArrayRef sizes, const at::TensorOptions& options) {
  if (!kept.defined() || kept.sizes() != sizes) {
    kept = at::zeros(sizes, options);
  }
}

void overwrite(at::Tensor& kept, const at::Tensor& value) {
  if (kept.defined() && kept.sizes() == value.sizes()) {
    kept.copy_(value);
  } else {
    kept = value;
  }
}

void RepeatedWork::run(c10::DeviceType device, const std::function<void()>& work) {
  if (!can_capture(device)) {
    work();
    return;
  }
  if (capture_ == nullptr) {
    capture_ = capture(device, [this, work] { count_alone(work, count_); });
    work_count() += count_;
    return;
  }
  try {
    capture_->replay();
    work_count() += count_;
  } catch (const std::exception& error) {
    if (is_device_out_of_memory(error) || is_device_fault(error)) {
      throw;
    }
    stop_capturing(error.what());
    work();
  }
}

}  // namespace lazymar
