#include "pipeline/device.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Version.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string_view>

#include "core/cpu_features.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/text.h"
#include "files/malloc_tuning.h"
#include "files/text_file.h"
#include "nn/capture.h"
#include "nn/device_ops.h"

namespace lazymar {

int64_t cuda_device_count() {
  return at::hasCUDA() ? at::globalContext().getAcceleratorHooksInterface(c10::kCUDA).deviceCount()
                       : 0;
}

c10::Device resolve_device(const std::string& name, int64_t local_rank) {
  const int64_t count = cuda_device_count();
  if (name == "cpu" || (name == "auto" && count == 0)) {
    return c10::kCPU;
  }
  int64_t index = local_rank;
  if (name.starts_with("cuda:")) {
    index = parse_index(name.substr(5));
  } else if (name != "auto" && name != "cuda") {
    index = -1;
  }
  if (index < 0) {
    throw setting_error(
        "device", " ", name, ": ",
        use_one_of(name == "gpu" ? "cuda" : name, {"auto", "cpu", "cuda", "cuda:N"}));
  }
  if (index >= count) {
    throw setting_error("device", " ", name, ": ",
                        count > 0
                            ? concat("only ", count, " CUDA devices are visible, and device ",
                                     index, " was requested")
                            : "no CUDA device is visible (or this build has no CUDA; configure "
                              "with -DLAZYMAR_CUDA=ON); use --device cpu");
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

std::string cpu_info(const std::string& key) {
  return value_in("/proc/cpuinfo", key);
}

std::string device_model(c10::Device device) {
  if (device.is_cpu()) {
    return concat(cpu_info("model name"), ", ", at::get_cpu_capability(),
                  has_cpu_feature(CpuFeature::kAmx) ? ", AMX" : "");
  }
  const DeviceOps* const ops = device_ops(device.type());
  return ops != nullptr && ops->model != nullptr ? ops->model(device.index()) : "CUDA device";
}

bool is_out_of_memory(const std::exception& error) {
  // The CPU's allocator has no type of its own.
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr || is_device_out_of_memory(error) ||
         std::string_view(error.what()).find("DefaultCPUAllocator: can't allocate memory") !=
             std::string_view::npos;
}

void release_unused_memory(c10::Device device) {
  if (device.is_cpu()) {
    give_back_freed_memory();
  } else {
    at::accelerator::emptyCache();
  }
}

void use_device(c10::Device device) {
  if (device.is_cpu()) {
    // oneDNN reads it once, before its first product. Its kernels for AMX split sums among threads,
    // so that images would depend on the number of threads; nn/linear_packed.h has others.
    ::setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16", /*overwrite=*/0);
    return;
  }
  at::accelerator::setDeviceIndex(device.index());
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowBF16ReductionCuBLAS(/*allow_reduced_precision=*/false);
  context.setAllowFP16ReductionCuBLAS(/*allow_reduced_precision=*/false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
  // Attention uses the flash kernel. LibTorch prefers cuDNN's on Hopper, but that plans again for
  // every shape, and shapes here differ between steps.
  context.setSDPUseCuDNN(false);
}

DeviceMemory device_memory(c10::Device device) {
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto [free, total] = at::accelerator::getMemoryInfo(device.index());
  const auto stats = at::accelerator::getDeviceStats(device.index());
  return {static_cast<int64_t>(free) + stats.reserved_bytes[kAll].current,
          stats.reserved_bytes[kAll].peak};
}

void reset_peak_memory(c10::Device device) {
  at::accelerator::resetPeakStats(device.index());
}

}  // namespace lazymar
