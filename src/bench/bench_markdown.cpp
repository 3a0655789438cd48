#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "bench/bench_report.h"
#include "bench/markdown.h"
#include "core/error.h"

namespace lazymar {
namespace {

/// The arm's flags except the precision, which is always shown.
std::string flags_of(const BenchRow& row) {
  std::istringstream words(row.arm);
  std::string word;
  words >> word;  // baseline or lazy
  std::string flags;
  while (words >> word) {
    if (word == "--precision") {
      words >> word;
    } else if (!word.starts_with("--precision=")) {
      flags += " " + word;
    }
  }
  return flags;
}

/// Names as in LazyMAR's README: "MAR-H", "LazyMAR-H"; followed by other flags of the arm.
std::string method(const BenchRow& row) {
  std::string name = !row.method.empty() ? row.method : row.lazy ? "LazyMAR" : "MAR";
  if (row.model == "mar_base") {
    name += "-B";
  } else if (row.model == "mar_large") {
    name += "-L";
  } else if (row.model == "mar_huge") {
    name += "-H";
  } else {
    name += " (" + row.model + ")";
  }
  return name + flags_of(row) + ", " + std::string(to_string(row.precision));
}

std::string seconds_text(const BenchRow& row, double seconds) {
  return (row.extrapolated() ? "≈ " : "") + format(seconds < 10 ? "%.3f" : "%.2f", seconds);
}

std::string readme_table(const BenchReport& report) {
  std::string text = heading(
      {"Model", "Batch", "Latency (GPU)", "Latency (CPU)", "FLOPs", "Speedup", "FID ↓", "IS ↑"});
  for (const BenchRow& row : report.rows) {
    const std::string latency = seconds_text(row, median_seconds(row)) + " s";
    const bool on_cpu = report.setting.on_cpu;
    text += cells({method(row), std::to_string(row.batch), on_cpu ? "" : latency,
                   on_cpu ? latency : "", format("%.3f T", row.flops * 1e-12),
                   format("%.2f×", speedup(report, row).time), "", ""});
  }
  return text;
}

std::string detail_table(const BenchReport& report) {
  std::string text = heading({"Model", "Batch", "s per image", "p10", "p90", "wall clock",
                              "faster by time", "by FLOPs", "encoder", "decoder", "head", "VAE",
                              "rest", "GEMM rate", "share of it", "memory", "caches"});
  for (const BenchRow& row : report.rows) {
    StageSeconds sum;
    std::vector<double> seconds;
    for (const StageSeconds& run : row.runs) {
      sum += run;
      seconds.push_back(run.total);
    }
    const auto share = [&](double part) { return format("%.0f %%", 100 * part / sum.total); };
    const double rest = sum.total - sum.encoder - sum.decoder - sum.head - sum.vae;
    const Speedup faster = speedup(report, row);
    text += cells(
        {method(row), std::to_string(row.batch), seconds_text(row, quantile(seconds, 0.5)),
         seconds_text(row, quantile(seconds, 0.1)), seconds_text(row, quantile(seconds, 0.9)),
         seconds_text(row, quantile(row.wall_seconds, 0.5)), format("%.2f×", faster.time),
         format("%.2f×", faster.flops), share(sum.encoder), share(sum.decoder), share(sum.head),
         share(sum.vae), share(rest), format("%.0f GFLOP/s", row.gemm_rate * 1e-9),
         format("%.0f %%", 100 * gemm_share(row)),
         format("%.2f GB",
                static_cast<double>(report.setting.on_cpu ? row.peak_anonymous : row.peak_device) *
                    1e-9),
         format("%.1f MB", static_cast<double>(row.cache_bytes) * 1e-6)});
  }
  return text;
}

/// The GPU's state from the driver; empty if there is none.
std::string gpu_table(const BenchReport& report) {
  const auto is_told = [](const BenchRow& row) { return !row.gpu_states.empty(); };
  if (std::none_of(report.rows.begin(), report.rows.end(), is_told)) {
    return "";
  }
  std::string text =
      heading({"Model", "Batch", "SM clock", "memory clock", "power", "temperature", "samples"});
  for (const BenchRow& row : report.rows) {
    const auto cell = [&](std::optional<double> GpuState::*figure, const char* unit) {
      const auto found = gpu_figure(row, figure);
      return found ? format("%.0f %s (%.0f)", found->median, unit, found->most) : "";
    };
    text += cells({method(row), std::to_string(row.batch), cell(&GpuState::sm_clock, "MHz"),
                   cell(&GpuState::memory_clock, "MHz"), cell(&GpuState::power, "W"),
                   cell(&GpuState::temperature, "°C"), std::to_string(row.gpu_states.size())});
  }
  return text +
         "\nClocks, power and temperature: read from the driver (NVML) every 0.1 s of the measured "
         "runs; median, with the maximum in brackets. From Ampere on, except GA100, GPUs report "
         "the "
         "mean power of the last second.\n\n";
}

/// How the seconds were measured.
std::string clocks_text(bool on_cpu) {
  return on_cpu ? "They are wall time, so the wall clock column is the same."
                : "They are GPU time between CUDA events, from a batch's first work to the copy of "
                  "its pixels to the host. Wall clock: median time on the host, from before the "
                  "batch starts until its pixels are on the host.";
}

}  // namespace

std::string bench_markdown(const BenchReport& report) {
  const BenchSetting& setting = report.setting;
  std::string text =
      concat(setting.device, "; ", setting.cores, " cores, ", setting.threads, " threads; lazymar ",
             setting.lazymar, ", LibTorch ", setting.libtorch, "; ", setting.weights, ".\n\n");
  text += readme_table(report) + "\n" + detail_table(report) + "\n" + gpu_table(report);
  text += concat(
      "Seconds per image include the VAE and exclude PNG encoding: median (the latency of the ",
      "first table), 10th and 90th percentile of ", setting.repeats, " runs of one batch. One ",
      "run before them does not count; it also fills the class table of the first step. Arms of ",
      "one model and batch size take turns. ", clocks_text(setting.on_cpu), " FLOPs as executed. ",
      "Speedup over the first arm of the same model and batch size. GEMM rate: packed products ",
      "alone in the arm's precision, measured before and after. Its share: all executed FLOPs ",
      "over all time. Memory: ",
      setting.on_cpu ? "peak anonymous memory of the process (resident minus shared in "
                       "/proc/self/statm, sampled every 10 ms)"
                     : "peak memory of tensors on the GPU",
      " while the arm ran, with the weights and caches of all arms of its model. Caches: what this "
      "arm's caches hold ",
      "per image.\n");
  const auto extrapolated = [](const BenchRow& row) { return row.extrapolated(); };
  if (std::any_of(report.rows.begin(), report.rows.end(), extrapolated)) {
    text += "\n≈: extrapolated, not run as a whole. Measured decoding steps:";
    for (const BenchRow& row : report.rows) {
      if (extrapolated(row)) {
        text += concat(" ", method(row), ", batch ", row.batch, ": ", row.measured_steps, " of ",
                       row.num_iter, ";");
      }
    }
    text.back() = '.';
    text += "\n";
  }
  return text;
}

}  // namespace lazymar
