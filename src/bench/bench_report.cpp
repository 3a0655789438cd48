#include "bench/bench_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace lazymar {
namespace {

using nlohmann::ordered_json;

std::vector<double> totals(const BenchRow& row) {
  std::vector<double> seconds;
  for (const StageSeconds& run : row.runs) {
    seconds.push_back(run.total);
  }
  return seconds;
}

/// Means over the runs.
StageSeconds mean_stages(const BenchRow& row) {
  StageSeconds sum;
  for (const StageSeconds& run : row.runs) {
    sum += run;
  }
  const auto count = static_cast<double>(row.runs.size());
  return {sum.encoder / count, sum.decoder / count, sum.head / count, sum.vae / count,
          sum.total / count};
}

ordered_json seconds_json(const std::vector<double>& runs) {
  return {{"median", quantile(runs, 0.5)},
          {"p10", quantile(runs, 0.1)},
          {"p90", quantile(runs, 0.9)},
          {"runs", runs}};
}

/// null if the driver reports nothing.
ordered_json gpu_json(const BenchRow& row) {
  ordered_json json = {{"samples", row.gpu_states.size()}};
  bool told = false;
  const auto add = [&](const char* name, std::optional<double> GpuState::*figure) {
    const auto found = gpu_figure(row, figure);
    json[name] =
        found ? ordered_json{{"median", found->median}, {"max", found->most}} : ordered_json();
    told = told || found;
  };
  add("sm_clock_mhz", &GpuState::sm_clock);
  add("memory_clock_mhz", &GpuState::memory_clock);
  add("power_watts", &GpuState::power);
  add("temperature_celsius", &GpuState::temperature);
  return told ? json : ordered_json();
}

ordered_json stages_json(const StageSeconds& seconds) {
  return {{"encoder", seconds.encoder},
          {"decoder", seconds.decoder},
          {"head", seconds.head},
          {"vae", seconds.vae}};
}

ordered_json row_json(const BenchReport& report, const BenchRow& row) {
  const Speedup faster = speedup(report, row);
  return {{"model", row.model},
          {"batch", row.batch},
          {"arm", row.arm},
          {"precision", to_string(row.precision)},
          {"num_iter", row.num_iter},
          {"num_sampling_steps", row.num_sampling_steps},
          {"extrapolated", row.extrapolated()},
          {"measured_steps", row.measured_steps},
          {"seconds_per_image", seconds_json(totals(row))},
          {"wall_seconds_per_image", seconds_json(row.wall_seconds)},
          {"speedup", {{"time", faster.time}, {"flops", faster.flops}}},
          {"flops_per_image", row.flops},
          {"original_flops_per_image", row.original_flops},
          {"stage_seconds_per_image", stages_json(mean_stages(row))},
          {"peak_anonymous_bytes", row.peak_anonymous},
          {"peak_device_bytes", row.peak_device},
          {"cache_bytes_per_image", row.cache_bytes},
          {"gpu", gpu_json(row)},
          {"gemm_flops_per_second", row.gemm_rate},
          {"share_of_gemm_rate", gemm_share(row)}};
}

/// Path of a CSV column's value in a row's JSON.
struct CsvColumn {
  const char* name;
  const char* path;
};
constexpr CsvColumn kCsvColumns[] = {
    {"model", "/model"},
    {"batch", "/batch"},
    {"arm", "/arm"},
    {"precision", "/precision"},
    {"num_iter", "/num_iter"},
    {"num_sampling_steps", "/num_sampling_steps"},
    {"extrapolated", "/extrapolated"},
    {"measured_steps", "/measured_steps"},
    {"seconds_median", "/seconds_per_image/median"},
    {"seconds_p10", "/seconds_per_image/p10"},
    {"seconds_p90", "/seconds_per_image/p90"},
    {"wall_seconds_median", "/wall_seconds_per_image/median"},
    {"wall_seconds_p10", "/wall_seconds_per_image/p10"},
    {"wall_seconds_p90", "/wall_seconds_per_image/p90"},
    {"speedup_time", "/speedup/time"},
    {"speedup_flops", "/speedup/flops"},
    {"flops_per_image", "/flops_per_image"},
    {"encoder_seconds", "/stage_seconds_per_image/encoder"},
    {"decoder_seconds", "/stage_seconds_per_image/decoder"},
    {"head_seconds", "/stage_seconds_per_image/head"},
    {"vae_seconds", "/stage_seconds_per_image/vae"},
    {"peak_anonymous_bytes", "/peak_anonymous_bytes"},
    {"peak_device_bytes", "/peak_device_bytes"},
    {"gpu_samples", "/gpu/samples"},
    {"sm_clock_mhz_median", "/gpu/sm_clock_mhz/median"},
    {"sm_clock_mhz_max", "/gpu/sm_clock_mhz/max"},
    {"memory_clock_mhz_median", "/gpu/memory_clock_mhz/median"},
    {"memory_clock_mhz_max", "/gpu/memory_clock_mhz/max"},
    {"power_watts_median", "/gpu/power_watts/median"},
    {"power_watts_max", "/gpu/power_watts/max"},
    {"temperature_celsius_median", "/gpu/temperature_celsius/median"},
    {"temperature_celsius_max", "/gpu/temperature_celsius/max"},
    {"gemm_flops_per_second", "/gemm_flops_per_second"},
    {"share_of_gemm_rate", "/share_of_gemm_rate"},
    {"cache_bytes_per_image", "/cache_bytes_per_image"},
};

/// A CSV field: empty for null, quoted if it contains a separator or a quote.
std::string csv_field(const ordered_json& value) {
  if (!value.is_string()) {
    return value.is_null() ? "" : value.dump();
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.find_first_of(",\"\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

double median_seconds(const BenchRow& row) {
  return quantile(totals(row), 0.5);
}

std::optional<MedianAndMost> gpu_figure(const BenchRow& row,
                                        std::optional<double> GpuState::*figure) {
  std::vector<double> told;
  for (const GpuState& state : row.gpu_states) {
    if (state.*figure) {
      told.push_back(*(state.*figure));
    }
  }
  if (told.empty()) {
    return std::nullopt;
  }
  return MedianAndMost{quantile(told, 0.5), *std::max_element(told.begin(), told.end())};
}

Speedup speedup(const BenchReport& report, const BenchRow& row) {
  const auto first = std::find_if(report.rows.begin(), report.rows.end(),
                                  [&](const BenchRow& r) { return r.group == row.group; });
  return {median_seconds(*first) / median_seconds(row), first->flops / row.flops};
}

double gemm_share(const BenchRow& row) {
  return row.flops / median_seconds(row) / row.gemm_rate;
}

std::string bench_json(const BenchReport& report) {
  const BenchSetting& setting = report.setting;
  ordered_json rows = ordered_json::array();
  for (const BenchRow& row : report.rows) {
    rows.push_back(row_json(report, row));
  }
  const ordered_json json = {{"device", setting.device},     {"cores", setting.cores},
                             {"threads", setting.threads},   {"lazymar", setting.lazymar},
                             {"libtorch", setting.libtorch}, {"weights", setting.weights},
                             {"repeats", setting.repeats},   {"rows", rows},
                             {"order", report.order}};
  return json.dump(2) + "\n";
}

std::string bench_csv(const BenchReport& report) {
  std::string text;
  for (const CsvColumn& column : kCsvColumns) {
    text += column.name + std::string(",");
  }
  text += "device,cores,threads,lazymar,libtorch\n";
  const BenchSetting& setting = report.setting;
  for (const BenchRow& row : report.rows) {
    const ordered_json json = row_json(report, row);
    for (const CsvColumn& column : kCsvColumns) {
      text += csv_field(json.value(ordered_json::json_pointer(column.path), ordered_json())) + ",";
    }
    text += csv_field(setting.device) + "," + std::to_string(setting.cores) + "," +
            std::to_string(setting.threads) + "," + csv_field(setting.lazymar) + "," +
            csv_field(setting.libtorch) + "\n";
  }
  return text;
}

}  // namespace lazymar
