#pragma once
/// Images to bytes, the plain ATen twin, and the table of a device's kernels (nn/device_ops.h).

#include <ATen/core/Tensor.h>

namespace lazymar {

/// images [B, C, H, W], about -1 to 1 -> [B, H, W, C] uint8 on their device: round(clip((x + 1) / 2
/// * 255, 0, 255)), half to even.
at::Tensor to_bytes(const at::Tensor& images);

namespace plain {
at::Tensor to_bytes(const at::Tensor& images);
}

struct PixelDeviceOps {
  at::Tensor (*to_bytes)(const at::Tensor& images) = nullptr;
};

}  // namespace lazymar
