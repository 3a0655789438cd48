#pragma once
/// Where the work is done.

#include <c10/core/Device.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace lazymar {

/// How many CUDA devices this process sees (CUDA_VISIBLE_DEVICES); 0 without CUDA.
int64_t cuda_device_count();

/// "auto" (CUDA where there is one), "cpu", "cuda", "cuda:N"; without a number the CUDA device of
/// that local rank. Throws Error (usage) where it cannot be had.
c10::Device resolve_device(const std::string& name, int64_t local_rank = 0);

/// What kind of device it is, for the manifest: "NVIDIA H200", "AMD EPYC, AVX512".
std::string device_model(c10::Device device);

/// CPU threads of this process's ATen operations. Where not given: its share of the cores if
/// `local_size` processes of the run share this host and OMP_NUM_THREADS does not say otherwise,
/// else what LibTorch takes.
void set_threads(const std::optional<int64_t>& threads, int64_t local_size = 1);

/// Makes it this process's device, and its arithmetic what placements say: products of fp32 in fp32
/// (no TF32), sums in fp32, algorithms chosen alike in every run and for every number of threads.
void use_device(c10::Device device);

/// A GPU's memory, in bytes.
struct DeviceMemory {
  int64_t available = 0;  ///< free, or held by this process
  /// Most that this process held for tensors since reset_peak_memory(), graphs' memory included.
  int64_t peak = 0;
};
DeviceMemory device_memory(c10::Device device);
void reset_peak_memory(c10::Device device);

/// True for what LibTorch or the C++ library throws where memory is short.
bool is_out_of_memory(const std::exception& error);

/// Gives memory that LibTorch or the C library keeps for later back to the device.
void release_unused_memory(c10::Device device);

}  // namespace lazymar
