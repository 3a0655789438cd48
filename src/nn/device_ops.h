#pragma once
/// Kernels of a device other than the CPU. Each room declares a table of its operations that a
/// device may compute by kernels of its own; src/cuda fills the tables and registers them at link
/// time. An operation looks for its table here first, and uses plain ATen if there is none.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "nn/capture.h"
#include "nn/ops.h"

namespace lazymar {

/// The operations of nn/ops.h, arguments as there unless said otherwise, and what else a device
/// offers.
struct DeviceOps {
  /// layer_norm, or modulated_norm if shift and scale are defined.
  at::Tensor (*norm)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     double eps, const at::Tensor& shift, const at::Tensor& scale,
                     c10::ScalarType type) = nullptr;
  SumAndNorm (*add_norm)(const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                         const at::Tensor& bias, double eps, c10::ScalarType type) = nullptr;
  /// out = x + y, or x + gate * y if gate is defined; out may be x.
  void (*add)(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
              at::Tensor& out) = nullptr;
  at::Tensor (*silu_of_sums)(const at::Tensor& a, const at::Tensor& b,
                             c10::ScalarType type) = nullptr;
  at::Tensor (*group_norm)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           int64_t groups, double eps, c10::ScalarType type, bool silu) = nullptr;
  at::Tensor (*take_rows)(const at::Tensor& x, const at::Tensor& rows) = nullptr;
  void (*write_rows)(at::Tensor& target, const at::Tensor& rows,
                     const at::Tensor& source) = nullptr;
  /// Runs and captures as capture() says. Throws CaptureFailed.
  std::unique_ptr<Capture> (*capture)(const std::function<void()>& work) = nullptr;
  /// "NVIDIA H200".
  std::string (*model)(c10::DeviceIndex index) = nullptr;
  /// 90 for compute capability 9.0.
  int64_t (*capability)(c10::DeviceIndex index) = nullptr;
  /// "CUDA 13.0".
  std::string (*driver)() = nullptr;
  /// Returns memory to the device that is reserved for later work.
  void (*release_memory)() = nullptr;
  /// From now on the kernels serve Meta tensors, which have shapes and no numbers, in place of the
  /// device's: for launch_count(), which must count instead of running them.
  void (*serve_shapes)() = nullptr;
};

/// A room's table, and the type of device that it serves.
template <typename Ops>
struct RegisteredOps {
  const Ops* ops = nullptr;
  c10::DeviceType device = c10::DeviceType::CUDA;
};

template <typename Ops>
RegisteredOps<Ops>& registered_ops() {
  static RegisteredOps<Ops> registered;
  return registered;
}

/// Registers `ops`, which must stay valid, for tensors of `device`; nullptr registers none.
template <typename Ops>
void register_device_ops(const Ops* ops, c10::DeviceType device) {
  registered_ops<Ops>() = {ops, device};
}

/// The kernels for a device, or for x's; nullptr if there are none.
template <typename Ops = DeviceOps>
const Ops* device_ops(c10::DeviceType device) {
  const RegisteredOps<Ops>& registered = registered_ops<Ops>();
  return registered.device == device ? registered.ops : nullptr;
}

template <typename Ops = DeviceOps>
const Ops* device_ops(const at::Tensor& x) {
  return device_ops<Ops>(x.device().type());
}

}  // namespace lazymar
