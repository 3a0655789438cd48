#pragma once
/// The kernels of all rooms' tables (nn/device_ops.h).

#include "cache/row_ops.h"
#include "diffusion/head_ops.h"
#include "mar/device_noise.h"
#include "nn/device_ops.h"
#include "vae/pixels.h"

namespace lazymar::cuda {

/// Every room's table, for tensors of one type of device.
struct Kernels : DeviceOps, HeadDeviceOps, RowDeviceOps, NoiseDeviceOps, PixelDeviceOps {
  c10::DeviceType device = c10::DeviceType::CUDA;
};

/// The kernels for tensors of `device`: CUDA, or the CPU if the tests emulate them. Shapes and
/// types without a kernel use plain ATen. Without what concerns the device as a whole: capture(),
/// model() and the like.
Kernels kernels_for(c10::DeviceType device);

/// Registers all tables of `kernels`, which must stay valid, or none for nullptr; returns the
/// previous ones.
const Kernels* register_kernels(const Kernels* kernels);

}  // namespace lazymar::cuda
