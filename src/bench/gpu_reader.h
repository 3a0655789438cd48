#pragma once
/// What the driver tells of a GPU: how fast it runs and what it draws.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace lazymar {

/// At one moment. Nothing where the driver does not tell.
struct GpuState {
  std::optional<double> sm_clock;      ///< MHz
  std::optional<double> memory_clock;  ///< MHz
  /// W, memory included. A mean over the last second on Ampere (but for GA100) and newer GPUs.
  std::optional<double> power;
  std::optional<double> temperature;  ///< degrees Celsius, of the GPU's die
};

/// Reads one GPU's state through NVML, which comes with the driver and is loaded at run time: a
/// build needs nothing of CUDA. Whatever goes wrong, nothing is thrown: it reads nothing then.
class GpuReader {
 public:
  /// `cuda_index`: as CUDA counts in this process, so of the GPUs in CUDA_VISIBLE_DEVICES. NVML
  /// counts all of the machine; the same GPU is found by its PCI bus id, which `cuda` is asked for.
  explicit GpuReader(int64_t cuda_index, const std::string& cuda = "libcuda.so.1",
                     const std::string& nvml = "libnvidia-ml.so.1");
  ~GpuReader();
  GpuReader(const GpuReader&) = delete;
  GpuReader& operator=(const GpuReader&) = delete;

  /// Why it reads nothing; empty where it can.
  const std::string& problem() const { return problem_; }

  /// From any thread.
  GpuState read() const;

 private:
  class Nvml;

  std::unique_ptr<const Nvml> nvml_;
  std::string problem_;
};

}  // namespace lazymar
