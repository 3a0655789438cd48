#pragma once
/// Work of fixed shape, recorded once and replayed with one launch: a CUDA graph.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "lazymar/nn/flops.h"

namespace lazymar {

/// Whoever replays sees to it that the tensors the work reads and writes are still the same ones.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// Runs `work`, which counts, and calls it once more to record what it launches, which is not run:
/// what the device keeps has changed once, as without a recording. So whatever the host keeps must
/// be the same after two calls as after one. `work` may not wait for the device, nor copy from
/// memory that is not pinned. Its temporary memory is shared by all recordings: what outlives a
/// replay belongs into tensors made before, or in its first run. nullptr, and nothing run, where
/// the device has no recordings, or they are switched off.
std::unique_ptr<Recording> record(c10::DeviceType device, const std::function<void()>& work);

/// True where record() records.
bool records(c10::DeviceType device);

/// On unless switched off: the twin that replays nothing (--cuda_graphs off).
void set_recordings(bool on);

/// Makes `kept` zeros of that shape, unless it has the shape: a replay finds it where it lay.
void make_room(at::Tensor& kept, at::IntArrayRef sizes, const at::TensorOptions& options);

/// Copies `value` into the memory of `kept`, where that has its shape; otherwise takes `value`.
void overwrite(at::Tensor& kept, const at::Tensor& value);

/// Work that is run and recorded the first time, and replayed from then on; just run where the
/// device does not record. Either way it is counted in work_count() every time.
class RepeatedWork {
 public:
  void run(c10::DeviceType device, const std::function<void()>& work);

 private:
  std::unique_ptr<Recording> recording_;
  WorkCount count_;
};

}  // namespace lazymar
