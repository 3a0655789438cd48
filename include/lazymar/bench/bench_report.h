#pragma once
/// What lazymar_bench found, for people and for scripts.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/run/journal.h"

namespace lazymar {

/// One arm with one model and batch size.
struct BenchRow {
  std::string model, arm;
  int64_t group =
      0;  ///< arms of one group took turns; the first is what the others are compared to
  int64_t batch = 0;
  bool lazy = false;
  Precision precision = Precision::kFp32;  ///< not kAuto
  int64_t num_iter = 0, num_sampling_steps = 0;
  int64_t measured_steps = 0;      ///< decoding steps that were run; fewer: extrapolated
  std::vector<StageSeconds> runs;  ///< seconds per image of each measured run
  double flops = 0;                ///< executed for an image
  double original_flops = 0;       ///< that the original's way of computing it executes
  int64_t peak_anonymous = 0;      ///< bytes, of the process while this arm ran
  int64_t peak_device = 0;         ///< bytes in tensors on the GPU; 0 on a CPU
  double gemm_rate = 0;            ///< FLOP/s of products alone, before or after, the larger

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

/// Median seconds per image.
double median_seconds(const BenchRow& row);

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
