#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "lazymar/bench/bench_report.h"
#include "lazymar/core/error.h"

namespace lazymar {
namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, pattern, values...)), '\0');
  std::snprintf(text.data(), text.size() + 1, pattern, values...);
  return text;
}

std::string cells(const std::vector<std::string>& texts) {
  std::string line = "|";
  for (const std::string& text : texts) {
    line += " " + text + " |";
  }
  return line + "\n";
}

std::string heading(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (size_t i = 0; i < titles.size(); ++i) {
    rule += i == 0 ? "---|" : "---:|";
  }
  return cells(titles) + rule + "\n";
}

/// The arm's flags, but for the precision, which is always told.
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

/// As LazyMAR's README names them: "MAR-H", "LazyMAR-H"; other flags of the arm behind it.
std::string method(const BenchRow& row) {
  std::string name = row.lazy ? "LazyMAR" : "MAR";
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
  std::string text =
      heading({"Model", "Batch", "s an image", "p10", "p90", "faster by time", "by FLOPs",
               "encoder", "decoder", "head", "VAE", "rest", "GEMM rate", "share of it", "memory"});
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
         format("%.2f×", faster.time), format("%.2f×", faster.flops), share(sum.encoder),
         share(sum.decoder), share(sum.head), share(sum.vae), share(rest),
         format("%.0f GFLOP/s", row.gemm_rate * 1e-9), format("%.0f %%", 100 * gemm_share(row)),
         format("%.2f GB",
                static_cast<double>(report.setting.on_cpu ? row.peak_anonymous : row.peak_device) *
                    1e-9)});
  }
  return text;
}

}  // namespace

std::string bench_markdown(const BenchReport& report) {
  const BenchSetting& setting = report.setting;
  std::string text =
      concat(setting.device, "; ", setting.cores, " cores, ", setting.threads, " threads; lazymar ",
             setting.lazymar, ", LibTorch ", setting.libtorch, "; ", setting.weights, ".\n\n");
  text += readme_table(report) + "\n" + detail_table(report) + "\n";
  text += concat(
      "Seconds of wall time an image, VAE included, PNG excluded: median, 10th and 90th "
      "percentile ",
      "of ", setting.repeats, " runs of one batch, after one that was not measured (which also ",
      "filled the first step's table of the classes); arms of one model and batch took turns. "
      "FLOPs ",
      "as executed. Speedup over the first arm of its model and batch. GEMM rate: of packed "
      "products ",
      "alone in the arm's precision, measured before and after; the share is that of all executed ",
      "FLOPs over all time. Memory: the largest anonymous memory of the process while the arm "
      "ran, ",
      "with the weights and caches of all arms of its model (resident less shared of ",
      "/proc/self/statm, sampled every 10 ms); on a GPU the most that tensors took there.\n");
  const auto extrapolated = [](const BenchRow& row) { return row.extrapolated(); };
  if (std::any_of(report.rows.begin(), report.rows.end(), extrapolated)) {
    text += "\n≈: extrapolated, not run as a whole. Decoding steps that were measured:";
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
