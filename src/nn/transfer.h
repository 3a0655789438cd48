#pragma once
/// Between the host and a device, without waiting for the device.

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <functional>
#include <optional>

namespace lazymar {

/// Host memory for copies to or from `device`: pinned if that is a GPU, so that copies overlap with
/// other work.
at::Tensor empty_for(c10::Device device, at::IntArrayRef sizes, c10::ScalarType type);

/// `t`, a CPU tensor, on `device`. The copy is queued on the device; until it is done, t may be
/// released but not written to.
at::Tensor sent_to(c10::Device device, const at::Tensor& t);

/// `t` on the host; valid once the device has passed this point of its queue.
at::Tensor brought_here(const at::Tensor& t);

/// A second stream of the device; on a CPU, work runs directly.
class SideQueue {
 public:
  explicit SideQueue(c10::Device device);

  /// Calls `work`. Its launches wait for everything launched before, and nothing launched later
  /// waits for them.
  void run(const std::function<void()>& work) const;

 private:
  std::optional<c10::Stream> stream_;
};

}  // namespace lazymar
