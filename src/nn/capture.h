#pragma once
/// Work of fixed shape, recorded once and replayed with one launch: a CUDA graph.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "nn/flops.h"

namespace lazymar {

/// Whoever replays sees to it that the tensors the work reads and writes are still the same ones.
class Capture {
 public:
  virtual ~Capture() = default;
  virtual void replay() = 0;
};

/// Runs `work`, which counts, and calls it once more to capture what it launches, which is not run:
/// what the device keeps has changed once, as without capturing. So whatever the host keeps must
/// be the same after two calls as after one. `work` may not wait for the device, nor copy from
/// memory that is not pinned. Its temporary memory is shared by all captures: what outlives a
/// replay belongs into tensors made before, or in its first run. nullptr, and nothing run, where
/// the device cannot capture, or capturing is off.
std::unique_ptr<Capture> capture(c10::DeviceType device, const std::function<void()>& work);

/// True if capture() captures.
bool can_capture(c10::DeviceType device);

/// On unless switched off: the twin that replays nothing (--cuda_graphs off).
void enable_capture(bool on);

/// Makes `kept` zeros of that shape, unless it has the shape: a replay finds it where it lay.
void make_room(at::Tensor& kept, at::IntArrayRef sizes, const at::TensorOptions& options);

/// Copies `value` into the memory of `kept`, where that has its shape; otherwise takes `value`.
void overwrite(at::Tensor& kept, const at::Tensor& value);

/// Work that is run and captured the first time, and replayed from then on; just run where the
/// device cannot capture. Either way it is counted in work_count() every time.
class RepeatedWork {
 public:
  void run(c10::DeviceType device, const std::function<void()>& work);

 private:
  std::unique_ptr<Capture> capture_;
  WorkCount count_;
};

}  // namespace lazymar
