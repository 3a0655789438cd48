#include "lazymar/nn/transfer.h"

#include <ATen/ATen.h>

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
  return empty_for(t.device(), t.sizes(), t.scalar_type()).copy_(t, /*non_blocking=*/true);
}

}  // namespace lazymar
