#pragma once
/// Between the host and a device, without waiting for the device.

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <functional>
#include <optional>

namespace lazymar {

/// Room on the host for what goes to or comes from `device`: pinned memory where that is a GPU, so
/// that it can be copied while other work goes on.
at::Tensor empty_for(c10::Device device, at::IntArrayRef sizes, c10::ScalarType type);

/// `t`, a tensor of the CPU, on `device`. The copy takes its turn in the device's queue; t may be
/// forgotten but not written to meanwhile.
at::Tensor sent_to(c10::Device device, const at::Tensor& t);

/// `t` on the host; to be read once the device has passed this point of its queue.
at::Tensor brought_here(const at::Tensor& t);

/// A queue of the device's beside the usual one; on a CPU work is just run.
class SideQueue {
 public:
  explicit SideQueue(c10::Device device);

  /// Calls `work`, whose launches begin when all launched before has passed, and which nothing
  /// launched afterwards waits for.
  void run(const std::function<void()>& work) const;

 private:
  std::optional<c10::Stream> stream_;
};

}  // namespace lazymar
