#pragma once
/// Where the work is done.

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "lazymar/core/config.h"
#include "lazymar/io/weights.h"

namespace lazymar {

/// "auto" (CUDA where there is one), "cpu", "cuda", "cuda:N"; throws Error (usage) where it cannot
/// be had.
c10::Device resolve_device(const std::string& name);

/// Tensors of this precision on this device.
Placement resolve_placement(Precision precision, const std::string& device);

/// CPU threads of this process's ATen operations; all cores where not given.
void set_threads(const std::optional<int64_t>& threads);

/// Waits until everything given to the device is done; nothing to wait for on the CPU.
void synchronize(c10::Device device);

/// Throws Error (usage) under a launcher that started more than one process.
void refuse_several_processes();

}  // namespace lazymar
