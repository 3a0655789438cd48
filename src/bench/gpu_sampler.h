#pragma once
/// A GPU's clocks, power and temperature while it works.

#include <thread>
#include <vector>

#include "bench/gpu_reader.h"

namespace lazymar {

/// Reads the state of a GPU repeatedly while it exists.
class GpuSampler {
 public:
  /// Reads nothing for nullptr; the reader must outlive it.
  explicit GpuSampler(const GpuReader* reader);
  GpuSampler(const GpuSampler&) = delete;
  GpuSampler& operator=(const GpuSampler&) = delete;

  /// Stops, and returns the samples: one soon after the start, then one every tenth of a second.
  std::vector<GpuState> finish();

 private:
  std::vector<GpuState> states_;
  std::jthread thread_;
};

}  // namespace lazymar
