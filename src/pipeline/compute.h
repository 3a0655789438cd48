#pragma once
/// The start of every program that computes: threads, device, precision.

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/precision.h"
#include "weights/weights.h"

namespace lazymar {

struct ComputeRequest {
  std::string device = "auto";
  Precision precision = {};
  bool cuda_graphs = true;
  bool head_blocks = true;
  std::optional<int64_t> threads;  ///< default: the process's share of the cores
  int64_t local_rank = 0;          ///< chooses the GPU if the device has no number
  int64_t local_size = 1;          ///< processes of this run on this host
};

/// A request resolved for this machine.
struct Compute {
  c10::Device device = c10::kCPU;
  Precision precision = {};  ///< not auto
  std::string threads;       ///< their number and why: "1 (2 cores, 2 ranks here)"

  Placement placement() const { return {precision, device}; }
};

/// CPU threads of this process's ATen operations, called from the thread that computes.
void set_threads(int64_t threads);

/// Makes the device this process's, with its threads and its arithmetic. Throws Error (invalid) if
/// this machine has no such device, or the device does not compute in that precision.
Compute start_computing(const ComputeRequest& request);

}  // namespace lazymar
