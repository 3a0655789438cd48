#pragma once
/// Between the host and a device, without waiting for the device.

#include <ATen/core/Tensor.h>

namespace lazymar {

/// Room on the host for what goes to or comes from `device`: pinned memory where that is a GPU, so
/// that it can be copied while other work goes on.
at::Tensor empty_for(c10::Device device, at::IntArrayRef sizes, c10::ScalarType type);

/// `t`, a tensor of the CPU, on `device`. The copy takes its turn in the device's queue; t may be
/// forgotten but not written to meanwhile.
at::Tensor sent_to(c10::Device device, const at::Tensor& t);

/// `t` on the host; to be read once the device has passed this point of its queue.
at::Tensor brought_here(const at::Tensor& t);

}  // namespace lazymar
