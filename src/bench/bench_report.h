#pragma once
/// What lazymar_bench found, for people and for scripts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/gpu_reader.h"
#include "core/cost.h"
#include "core/precision.h"

namespace lazymar {

/// One arm with one model and batch size.
struct BenchRow {
  std::string model, arm;
  int64_t group =
      0;  ///< arms of one group took turns; the first is what the others are compared to
  int64_t batch = 0;
  bool lazy = false;
  Precision precision = parse_precision("fp32");  ///< not auto
  int64_t num_iter = 0, num_sampling_steps = 0;
  int64_t measured_steps = 0;  ///< decoding steps that were run; fewer: extrapolated
  /// Seconds per image of each measured run: between events in a GPU's queues, or a CPU's time.
  std::vector<StageSeconds> runs;
  /// Seconds per image of each measured run by the host's clock, from before the batch is started
  /// until its pixels are on the host; on a CPU the totals of `runs`.
  std::vector<double> wall_seconds;
  std::vector<GpuState> gpu_states;  ///< during the measured runs; none on a CPU
  double flops = 0;                  ///< executed for an image
  double original_flops = 0;         ///< that the original's way of computing it executes
  int64_t peak_anonymous = 0;        ///< bytes, of the process while this arm ran
  int64_t peak_device = 0;           ///< bytes held for tensors on the GPU; 0 on a CPU
  double gemm_rate = 0;              ///< FLOP/s of products alone, before or after, the larger

  bool extrapolated() const { return measured_steps < num_iter; }
};

/// Where and how rows were measured.
struct BenchSetting {
  std::string device;  ///< what it is called
  bool on_cpu = true;
  int64_t cores = 0;              ///< that the process sees
  int64_t threads = 0;            ///< that LibTorch takes
  std::string lazymar, libtorch;  ///< versions
  std::string weights;
  int64_t repeats = 0;
};

struct BenchReport {
  BenchSetting setting;
  std::vector<BenchRow> rows;
  /// In the order in which they were run: indices of `rows`.
  std::vector<int64_t> order;
};

/// The value below which a share of the values lies, interpolated between neighbours (as NumPy's
/// default); of at least one value.
double quantile(std::vector<double> values, double share);

/// Median seconds per image, of the totals of `runs`.
double median_seconds(const BenchRow& row);

/// One of the figures of a GPU's state during a row's runs; nothing where it was never told.
struct MedianAndMost {
  double median = 0, most = 0;
};
std::optional<MedianAndMost> gpu_figure(const BenchRow& row,
                                        std::optional<double> GpuState::*figure);

/// How many times as fast as the first row of its group: by time and by executed FLOPs.
struct Speedup {
  double time = 1, flops = 1;
};
Speedup speedup(const BenchReport& report, const BenchRow& row);

/// Executed FLOPs per second over those of products alone.
double gemm_share(const BenchRow& row);

/// LazyMAR README's table, and one with all the rest.
std::string bench_markdown(const BenchReport& report);
std::string bench_json(const BenchReport& report);
/// A heading, then a line per row.
std::string bench_csv(const BenchReport& report);

}  // namespace lazymar
