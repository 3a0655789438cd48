#pragma once
/// Work of fixed shape, captured once and replayed with one launch: a CUDA graph.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "nn/flops.h"

namespace lazymar {

/// The caller of replay() ensures that the work's tensors are still the same.
class Capture {
 public:
  virtual ~Capture() = default;
  virtual void replay() = 0;
};

/// The work has run, but it could not be captured; nothing of the attempt is left.
class CaptureFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// True for LibTorch's errors of exhausted memory, which no change from graphs to launches cures.
bool is_device_out_of_memory(const std::exception& error);

/// Runs `work`, and calls it a second time to capture its launches without running them. State on
/// the device changes once, as without capturing; so state on the host must be the same after two
/// calls as after one. `work` must not wait for the device or copy from memory that is not pinned.
/// All captures share their temporary memory: what must outlive a replay belongs in tensors made
/// before, or in the first run. Returns nullptr, without running anything, if the device cannot
/// capture or capturing is off; nullptr after running it if capturing failed, which turns it off.
std::unique_ptr<Capture> capture(c10::DeviceType device, const std::function<void()>& work);

/// True if capture() captures.
bool can_capture(c10::DeviceType device);

/// On by default; off replays nothing (--cuda_graphs off). On forgets an earlier failure.
void enable_capture(bool on);

/// From now on every work is run eagerly, because of `reason`; warns the first time.
void stop_capturing(const std::string& reason);
/// Why capturing was stopped; empty if it was not.
const std::string& capture_failure();

/// Nothing is captured or replayed while this object exists.
class NoCaptures {
 public:
  NoCaptures();
  ~NoCaptures();
  NoCaptures(const NoCaptures&) = delete;
  NoCaptures& operator=(const NoCaptures&) = delete;

 private:
  bool before_;
};

/// How many works this process has captured.
int64_t captured_works();

/// Whether the first replay of a shape is compared with launching the same work: on by default.
void enable_replay_check(bool on);
bool checks_replays();
/// True if `replayed` has the bytes of `launched`, or differs by a norm of at most kReplayTolerance
/// of its norm, as it may if a library chose another algorithm within the capture. Otherwise stops
/// capturing. Waits for the device.
bool accept_replay(const char* what, const at::Tensor& replayed, const at::Tensor& launched);
inline constexpr double kReplayTolerance = 5e-2;

/// Returns memory to the device that eager work has left reserved, if the device reserves any. It
/// may wait for the device.
void release_eager_memory(c10::DeviceType device);

/// Makes `kept` a zero tensor of that shape, unless it already has it: a replay needs it at the
/// same address.
void make_room(at::Tensor& kept, at::IntArrayRef sizes, const at::TensorOptions& options);

/// Copies `value` into the memory of `kept` if the shapes match; otherwise replaces `kept`.
void overwrite(at::Tensor& kept, const at::Tensor& value);

/// Work that is run and captured the first time and replayed afterwards; if the device cannot
/// capture, it is run every time. It is counted in work_count() every time.
class RepeatedWork {
 public:
  /// A capture may keep `work`, so that it must own what does not outlive this object.
  void run(c10::DeviceType device, const std::function<void()>& work);

 private:
  std::unique_ptr<Capture> capture_;
  WorkCount count_;
};

}  // namespace lazymar
