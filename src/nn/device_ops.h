#pragma once
/// Kernels of a device other than the CPU. A room above registers them at link time. nn/ops.h and
/// nn/head_ops.h look here first, and use plain ATen if nothing is registered.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "nn/capture.h"
#include "nn/head_ops.h"
#include "nn/ops.h"

namespace lazymar {

/// One entry per operation, arguments as in the headers above unless said otherwise.
struct DeviceOps {
  c10::DeviceType device = c10::DeviceType::CUDA;

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
  at::Tensor (*mean_cosine_similarity)(const at::Tensor& a, const at::Tensor& b,
                                       int64_t heads) = nullptr;
  at::Tensor (*least_similar_rows)(const at::Tensor& similarity, const at::Tensor& raster_rows,
                                   const RowSelection& selection) = nullptr;
  at::Tensor (*take_rows)(const at::Tensor& x, const at::Tensor& rows) = nullptr;
  void (*write_rows)(at::Tensor& target, const at::Tensor& rows,
                     const at::Tensor& source) = nullptr;
  at::Tensor (*to_bytes)(const at::Tensor& images) = nullptr;
  at::Tensor (*draw_normals)(const NormalDraw& draw) = nullptr;
  at::Tensor (*gated_sums)(const GatedSums& sums) = nullptr;
  /// Empty if no kernel fits.
  std::optional<HeadMlpOutput> (*head_mlp)(const HeadMlp& block) = nullptr;
  bool (*has_head_window)(const at::Tensor& x, int64_t width) = nullptr;
  at::Tensor (*head_window)(const HeadWindow& window) = nullptr;
  Reversed (*reverse_step)(const ReverseStep& step) = nullptr;
  std::unique_ptr<Capture> (*capture)(const std::function<void()>& work) = nullptr;
  /// "NVIDIA H200".
  std::string (*model)(c10::DeviceIndex index) = nullptr;
};

/// Registers `ops`, which must stay valid, or nothing for nullptr; returns the previous one.
const DeviceOps* register_device_ops(const DeviceOps* ops);

/// The kernels for x's device; nullptr if there are none.
const DeviceOps* device_ops(const at::Tensor& x);
const DeviceOps* device_ops(c10::DeviceType device);

}  // namespace lazymar
