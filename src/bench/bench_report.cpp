#include "lazymar/bench/bench_report.h"

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
          {"seconds_per_image",
           {{"median", median_seconds(row)},
            {"p10", quantile(totals(row), 0.1)},
            {"p90", quantile(totals(row), 0.9)},
            {"runs", totals(row)}}},
          {"speedup", {{"time", faster.time}, {"flops", faster.flops}}},
          {"flops_per_image", row.flops},
          {"original_flops_per_image", row.original_flops},
          {"stage_seconds_per_image", stages_json(mean_stages(row))},
          {"peak_anonymous_bytes", row.peak_anonymous},
          {"peak_device_bytes", row.peak_device},
          {"gemm_flops_per_second", row.gemm_rate},
          {"share_of_gemm_rate", gemm_share(row)}};
}

/// A field of a CSV file: in quotes where it holds a separator or a quote.
std::string csv_field(const std::string& text) {
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
  std::string text =
      "model,batch,arm,precision,num_iter,num_sampling_steps,extrapolated,measured_steps,"
      "seconds_median,seconds_p10,seconds_p90,speedup_time,speedup_flops,flops_per_image,"
      "encoder_seconds,decoder_seconds,head_seconds,vae_seconds,peak_anonymous_bytes,"
      "peak_device_bytes,"
      "gemm_flops_per_second,share_of_gemm_rate,device,cores,threads,lazymar,libtorch\n";
  const BenchSetting& setting = report.setting;
  for (const BenchRow& row : report.rows) {
    const ordered_json json = row_json(report, row);
    const auto number = [&](const char* path) {
      return json.at(ordered_json::json_pointer(path)).dump();
    };
    text += csv_field(row.model) + "," + number("/batch") + "," + csv_field(row.arm) + "," +
            std::string(to_string(row.precision));
    for (const char* path :
         {"/num_iter", "/num_sampling_steps", "/extrapolated", "/measured_steps",
          "/seconds_per_image/median", "/seconds_per_image/p10", "/seconds_per_image/p90",
          "/speedup/time", "/speedup/flops", "/flops_per_image", "/stage_seconds_per_image/encoder",
          "/stage_seconds_per_image/decoder", "/stage_seconds_per_image/head",
          "/stage_seconds_per_image/vae", "/peak_anonymous_bytes", "/peak_device_bytes",
          "/gemm_flops_per_second", "/share_of_gemm_rate"}) {
      text += "," + number(path);
    }
    text += "," + csv_field(setting.device) + "," + std::to_string(setting.cores) + "," +
            std::to_string(setting.threads) + "," + csv_field(setting.lazymar) + "," +
            csv_field(setting.libtorch) + "\n";
  }
  return text;
}

}  // namespace lazymar
