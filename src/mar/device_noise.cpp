#include "mar/device_noise.h"

#include "nn/device_ops.h"

namespace lazymar {

bool draws_normals(c10::DeviceType device) {
  return device_ops<NoiseDeviceOps>(device) != nullptr;
}

at::Tensor draw_normals(const NormalDraw& draw) {
  const auto* device = device_ops<NoiseDeviceOps>(draw.positions);
  TORCH_CHECK(device != nullptr, "no kernel draws noise on ", draw.positions.device());
  return device->draw_normals(draw);
}

}  // namespace lazymar
