#pragma once
/// A device's kernels, entry by entry, and their replacement by plain ATen.

#include <c10/core/Device.h>

#include <string>
#include <vector>

namespace lazymar {

/// True if kernels are registered for this type of device.
bool has_own_kernels(c10::DeviceType device);

/// The entries of all rooms' tables (nn/device_ops.h).
std::vector<std::string> kernel_entries();

/// From now on this entry of the registered tables is its twin: plain ATen on the same device, and
/// for "draw_normals" the CPU. Throws Error (internal) for an unknown entry.
void use_twin(c10::DeviceType device, const std::string& entry);

}  // namespace lazymar
