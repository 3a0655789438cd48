#pragma once
/// The device that computes.

#include <c10/core/Device.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "nn/device_fault.h"  // is_device_fault(), for the programs

namespace lazymar {

/// How many CUDA devices this process sees (CUDA_VISIBLE_DEVICES); 0 without CUDA.
int64_t cuda_device_count();

/// "auto" (CUDA if there is a device), "cpu", "cuda", "cuda:N"; without a number, the CUDA device
/// of that local rank. Throws Error (usage) if it is not available.
c10::Device resolve_device(const std::string& name, int64_t local_rank = 0);

/// The device's model, for the manifest: "NVIDIA H200", "AMD EPYC, AVX512".
std::string device_model(c10::Device device);

/// The value of "key : value" in /proc/cpuinfo, of the first processor; empty if missing.
std::string cpu_info(const std::string& key);

/// Makes it this process's device and fixes its arithmetic: fp32 products in fp32 (no TF32), sums
/// in fp32, the same algorithms in every run and for every number of threads.
void use_device(c10::Device device);

/// A GPU's memory, in bytes.
struct DeviceMemory {
  int64_t available = 0;  ///< free, or held by this process
  /// Peak memory of this process's tensors since reset_peak_memory(), including graphs.
  int64_t peak = 0;
};
DeviceMemory device_memory(c10::Device device);
void reset_peak_memory(c10::Device device);

/// True for exceptions that LibTorch or the C++ library throws when memory runs out.
bool is_out_of_memory(const std::exception& error);

/// Returns memory that LibTorch or the C library caches to the device.
void release_unused_memory(c10::Device device);

}  // namespace lazymar
