#pragma once
/// Shared code of the programs in this folder. They measure single operations on random weights,
/// not whole images.

#include <ATen/core/Tensor.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <string_view>
#include <utility>

#include "nn/flops.h"
#include "weights/weights.h"

namespace lazymar::bench {

/// The precisions that are compared.
inline constexpr const char* kPrecisions[] = {"fp32", "bf16", "int8"};

inline Placement placement(std::string_view precision) {
  return {parse_precision(precision), c10::kCPU};
}

/// Calls piece() as often as Google Benchmark asks, after one call that does not count, in which
/// oneDNN prepares for new shapes. FLOP/s: FLOPs as counted by nn/flops.h over wall time.
template <typename Piece>
void measure(benchmark::State& state, const Piece& piece) {
  const c10::InferenceMode guard;
  benchmark::DoNotOptimize(piece());
  work_count() = {};
  for (auto _ : state) {
    benchmark::DoNotOptimize(piece());
  }
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(work_count().flops), benchmark::Counter::kIsRate);
}

/// Adds a benchmark by wall time: LibTorch's threads share the work. `function` takes the State.
template <typename Function>
void add(const std::string& name, benchmark::TimeUnit unit, Function function) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(function))->UseRealTime()->Unit(unit);
}

/// Runs the registered benchmarks, as the command line selects.
inline int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace lazymar::bench
