#pragma once
/// Work of fixed shape, captured once and replayed with one launch: a CUDA graph.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "nn/flops.h"

namespace lazymar {

/// The caller of replay() ensures that the work's tensors are still the same.
class Capture {
 public:
  virtual ~Capture() = default;
  virtual void replay() = 0;
};

/// Runs `work`, and calls it a second time to capture its launches without running them. State on
/// the device changes once, as without capturing; so state on the host must be the same after two
/// calls as after one. `work` must not wait for the device or copy from memory that is not pinned.
/// All captures share their temporary memory: what must outlive a replay belongs in tensors made
/// before, or in the first run. Returns nullptr, without running anything, if the device cannot
/// capture or capturing is off.
std::unique_ptr<Capture> capture(c10::DeviceType device, const std::function<void()>& work);

/// True if capture() captures.
bool can_capture(c10::DeviceType device);

/// On by default; off replays nothing (--cuda_graphs off).
void enable_capture(bool on);

/// Makes `kept` a zero tensor of that shape, unless it already has it: a replay needs it at the
/// same address.
void make_room(at::Tensor& kept, at::IntArrayRef sizes, const at::TensorOptions& options);

/// Copies `value` into the memory of `kept` if the shapes match; otherwise replaces `kept`.
void overwrite(at::Tensor& kept, const at::Tensor& value);

/// Work that is run and captured the first time and replayed afterwards; if the device cannot
/// capture, it is run every time. It is counted in work_count() every time.
class RepeatedWork {
 public:
  void run(c10::DeviceType device, const std::function<void()>& work);

 private:
  std::unique_ptr<Capture> capture_;
  WorkCount count_;
};

}  // namespace lazymar
