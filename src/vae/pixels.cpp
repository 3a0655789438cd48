#include "vae/pixels.h"

#include <ATen/ATen.h>

#include "nn/device_ops.h"

namespace lazymar {

namespace plain {

at::Tensor to_bytes(const at::Tensor& images) {
  return ((images + 1) / 2 * 255)
      .clamp(0, 255)
      .round()
      .to(c10::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

}  // namespace plain

at::Tensor to_bytes(const at::Tensor& images) {
  const auto* device = device_ops<PixelDeviceOps>(images);
  return device != nullptr ? device->to_bytes(images) : plain::to_bytes(images);
}

}  // namespace lazymar
