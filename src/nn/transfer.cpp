#include "nn/transfer.h"

#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace lazymar {

at::Tensor empty_for(c10::Device device, at::IntArrayRef sizes, c10::ScalarType type) {
  return at::empty(sizes, at::TensorOptions().dtype(type).pinned_memory(device.is_cuda()));
}

at::Tensor sent_to(c10::Device device, const at::Tensor& t) {
  if (device.is_cpu()) {
    return t;
  }
  const at::Tensor held =
      t.is_pinned() ? t : empty_for(device, t.sizes(), t.scalar_type()).copy_(t);
  return held.to(device, /*non_blocking=*/true);
}

at::Tensor brought_here(const at::Tensor& t) {
  if (t.is_cpu()) {
    return t;
  }
  // t may be released: its memory is not reused before the copy is done.
  t.record_stream(at::accelerator::getCurrentStream(t.device().index()));
  return empty_for(t.device(), t.sizes(), t.scalar_type()).copy_(t, /*non_blocking=*/true);
}

SideQueue::SideQueue(c10::Device device) {
  if (!device.is_cpu()) {
    stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
  }
}

void SideQueue::run(const std::function<void()>& work) const {
  if (!stream_) {
    work();
    return;
  }
  const c10::Device device = stream_->device();
  c10::Event before(device.type());
  before.record(at::accelerator::getCurrentStream(device.index()));
  before.block(*stream_);
  const c10::StreamGuard guard(*stream_);
  work();
}

}  // namespace lazymar
