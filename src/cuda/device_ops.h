#pragma once
/// The kernels registered in nn/device_ops.h.

#include "nn/device_ops.h"

namespace lazymar::cuda {

/// The table for tensors of `device`: CUDA, or the CPU if the tests emulate the kernels. Shapes and
/// types without a kernel use plain ATen. Without capture().
DeviceOps kernel_ops(c10::DeviceType device);

}  // namespace lazymar::cuda
