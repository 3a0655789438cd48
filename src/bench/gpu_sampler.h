#pragma once
/// A GPU's clocks, power and temperature while it does something.

#include <thread>
#include <vector>

#include "bench/gpu_reader.h"

namespace lazymar {

/// Reads the state of a GPU again and again while it lives.
class GpuSampler {
 public:
  /// Nothing is read for nullptr; the reader must live on.
  explicit GpuSampler(const GpuReader* reader);
  GpuSampler(const GpuSampler&) = delete;
  GpuSampler& operator=(const GpuSampler&) = delete;

  /// Ends the reading. What was read: soon after the beginning, then every tenth of a second.
  std::vector<GpuState> finish();

 private:
  std::vector<GpuState> states_;
  std::jthread thread_;
};

}  // namespace lazymar
