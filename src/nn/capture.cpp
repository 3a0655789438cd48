#include "nn/capture.h"

#include <ATen/ATen.h>

#include <utility>

#include "nn/device_ops.h"

namespace lazymar {
namespace {

bool captures = true;

}  // namespace

std::unique_ptr<Capture> capture(c10::DeviceType device, const std::function<void()>& work) {
  return can_capture(device) ? device_ops(device)->capture(work) : nullptr;
}

bool can_capture(c10::DeviceType device) {
  const DeviceOps* ops = device_ops(device);
  return captures && ops != nullptr && ops->capture != nullptr;
}

void enable_capture(bool on) {
  captures = on;
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
  if (capture_ != nullptr) {
    capture_->replay();
  } else {
    capture_ = capture(device, [&] {
      const WorkCount outside = std::exchange(work_count(), {});
      work();
      count_ = std::exchange(work_count(), outside);
    });
  }
  work_count() += count_;
}

}  // namespace lazymar
