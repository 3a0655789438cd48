#pragma once
/// One arm with one model and batch size, ready to run again and again.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench_report.h"
#include "bench/gpu_reader.h"
#include "bench/options.h"
#include "bench/step_samples.h"
#include "flops/flop_formula.h"
#include "pipeline/generator.h"

namespace lazymar {

class Contestant {
 public:
  /// `gpu`: reads the GPU's state; may be nullptr.
  Contestant(const BenchArm& arm, const std::shared_ptr<const Networks>& model, int64_t batch,
             const BenchOptions& options, const GpuReader* gpu);

  /// A row before any measurement.
  BenchRow row() const;

  /// Runs one batch; adds its time and FLOPs per image to `row`.
  void run(BenchRow& row);

  /// Of the batches so far, with everything that this process holds meanwhile; 0 on a CPU.
  int64_t peak_device() const { return peak_device_; }

 private:
  int64_t batch() const { return static_cast<int64_t>(ids_.size()); }

  /// Runs a batch and returns its wall time; notes its memory, and adds the GPU's state to `row`.
  std::pair<GeneratedBatch, double> make_batch(const GenerationHooks& hooks, BenchRow& row);

  Generator generator_;
  Workload work_;
  std::string method_;
  bool graphs_, head_blocks_;
  const GpuReader* gpu_;
  std::vector<int64_t> ids_, labels_;
  std::optional<StepSamples> samples_;
  int64_t peak_device_ = 0;
};

}  // namespace lazymar
