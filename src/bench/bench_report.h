#pragma once
/// Results of lazymar_bench, for people and for scripts.

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
  int64_t group = 0;  ///< arms of one group took turns; the first is the baseline of the others
  int64_t batch = 0;
  bool lazy = false;
  std::string method;                             ///< the preset that the arm names; empty if none
  Precision precision = parse_precision("fp32");  ///< not auto
  int64_t num_iter = 0, num_sampling_steps = 0;
  int64_t measured_steps = 0;  ///< decoding steps that ran; if fewer than num_iter, extrapolated
  /// Seconds per image of each measured run: between events in a GPU's queues, or a CPU's time.
  std::vector<StageSeconds> runs;
  /// Wall time per image of each measured run, from before the batch starts until its pixels are on
  /// the host; on a CPU, the totals of `runs`.
  std::vector<double> wall_seconds;
  std::vector<GpuState> gpu_states;  ///< during the measured runs; none on a CPU
  double flops = 0;                  ///< executed per image
  double original_flops = 0;         ///< that the original code executes
  int64_t peak_anonymous = 0;        ///< bytes, of the process while this arm ran
  int64_t cache_bytes = 0;           ///< per image, held between decoding or diffusion steps
  int64_t peak_device = 0;           ///< bytes held for tensors on the GPU; 0 on a CPU
  double gemm_rate = 0;              ///< FLOP/s of only products, the larger of before and after

  bool extrapolated() const { return measured_steps < num_iter; }
};

/// Where and how rows were measured.
struct BenchSetting {
  std::string device;  ///< its name
  bool on_cpu = true;
  int64_t cores = 0;              ///< that the process sees
  int64_t threads = 0;            ///< that LibTorch uses
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

/// The quantile of at least one value, interpolated linearly (NumPy's default).
double quantile(std::vector<double> values, double share);

/// Median seconds per image, of the totals of `runs`.
double median_seconds(const BenchRow& row);

/// One figure of the GPU's state during a row's runs; empty if never reported.
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

/// Executed FLOP/s divided by those of only products.
double gemm_share(const BenchRow& row);

/// The table of LazyMAR's README, and one with everything else.
std::string bench_markdown(const BenchReport& report);
std::string bench_json(const BenchReport& report);
/// A heading, then a line per row.
std::string bench_csv(const BenchReport& report);

}  // namespace lazymar
