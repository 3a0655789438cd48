#pragma once
/// Work of fixed shape, recorded once and replayed with one launch: a CUDA graph.

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace lazymar {

/// Whoever replays sees to it that the tensors the work reads and writes are still the same ones.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// Runs `work` once, so that everything it needs is set up, then records it; the recording has not
/// been replayed yet. `work` may not wait for the device, nor copy from memory that is not pinned.
/// Its temporary memory is shared by all recordings: what outlives a replay belongs into tensors
/// made before. nullptr where the device has no recordings, or they are switched off.
std::unique_ptr<Recording> record(c10::DeviceType device, const std::function<void()>& work);

/// True where record() records.
bool records(c10::DeviceType device);

/// On unless switched off: the twin that replays nothing (--cuda_graphs off).
void set_recordings(bool on);

}  // namespace lazymar
