#pragma once
/// A GPU's clocks and power, from the driver.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace lazymar {

/// At one moment. Empty if the driver does not report it.
struct GpuState {
  std::optional<double> sm_clock;      ///< MHz
  std::optional<double> memory_clock;  ///< MHz
  /// W, memory included. A mean over the last second on Ampere (except GA100) and newer GPUs.
  std::optional<double> power;
  std::optional<double> temperature;  ///< degrees Celsius, of the GPU's die
};

/// Reads one GPU's state through NVML, which comes with the driver and is loaded at run time: a
/// build does not need CUDA. It never throws; on any error it reads nothing.
class GpuReader {
 public:
  /// `cuda_index`: CUDA's index in this process, so among CUDA_VISIBLE_DEVICES. NVML counts all
  /// GPUs of the machine; the PCI bus id, from `cuda`, identifies the same GPU.
  explicit GpuReader(int64_t cuda_index, const std::string& cuda = "libcuda.so.1",
                     const std::string& nvml = "libnvidia-ml.so.1");
  ~GpuReader();
  GpuReader(const GpuReader&) = delete;
  GpuReader& operator=(const GpuReader&) = delete;

  /// Why it cannot read; empty if it can.
  const std::string& problem() const { return problem_; }

  /// From any thread.
  GpuState read() const;

 private:
  class Nvml;

  std::unique_ptr<const Nvml> nvml_;
  std::string problem_;
};

}  // namespace lazymar
