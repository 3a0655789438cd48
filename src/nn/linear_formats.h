#pragma once
/// The formats of linear layers' weights, as a table. A new number type is a file with a
/// LinearKernel, a row here (linear_formats.cpp) and a row of presets (core/precision.cpp).

#include <c10/core/Device.h>

#include <memory>
#include <string_view>

#include "nn/linear_kernel.h"

namespace lazymar {

/// How some devices multiply with weights of one format.
struct LinearFormat {
  /// The name in presets. Rows may share a name: the first one that supports the device is used.
  std::string_view name;
  /// Whether this row supports the device; null: it supports all.
  bool (*fits)(c10::Device device) = nullptr;
  /// Takes complete weights in the activations' type, on the device.
  std::shared_ptr<const LinearKernel> (*make)(const DenseWeights& weights) = nullptr;
};

/// The row for a format on a device. Throws Error (internal) if there is none.
const LinearFormat& linear_format(std::string_view name, c10::Device device);

/// Adds a row after the built-in ones, for a program with its own format. Do not call it while
/// other threads load weights.
void add_linear_format(const LinearFormat& format);

/// Computes from the weights as they are, in their type (linear_dense.cpp).
std::shared_ptr<const LinearKernel> dense_kernel(DenseWeights weights);

}  // namespace lazymar
