#include "bench/bench_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace lazymar {
namespace {

BenchRow row(const std::string& arm, double flops, const std::vector<double>& seconds) {
  BenchRow row;
  row.model = "mar_huge";
  row.arm = arm;
  row.lazy = arm.starts_with("lazy");
  row.batch = 8;
  row.precision = parse_precision("bf16");
  row.num_iter = row.measured_steps = 64;
  row.num_sampling_steps = 100;
  for (const double total : seconds) {
    row.runs.push_back({0.1 * total, 0.5 * total, 0.2 * total, 0.1 * total, total});
    row.wall_seconds.push_back(total + 0.25);
  }
  row.flops = flops;
  row.gemm_rate = 1e12;
  row.peak_anonymous = 2'500'000'000;
  return row;
}

BenchReport report() {
  BenchReport report;
  report.setting.device = "Some CPU, AVX512";
  report.setting.cores = report.setting.threads = 2;
  report.setting.lazymar = "0.1.0 (abc)";
  report.setting.libtorch = "2.11.0";
  report.setting.repeats = 3;
  report.rows = {row("baseline", 60e12, {100, 102, 98}),
                 row("lazy --precision bf16 --lazy_caches token,head", 20e12, {50, 40, 60})};
  report.rows[1].measured_steps = 12;
  report.order = {0, 1, 1, 0, 0, 1};
  return report;
}

/// The same on a GPU: for the first row the driver reports everything but the temperature, for the
/// second nothing.
BenchReport gpu_report() {
  BenchReport report = lazymar::report();
  report.setting.on_cpu = false;
  report.rows[0].gpu_states = {
      {1980, 2619, 650.5, {}}, {1755, 2619, 690.0, {}}, {1800, 2619, {}, {}}};
  report.rows[0].peak_device = 7'000'000'000;
  return report;
}

TEST(BenchReport, QuantilesInterpolateBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({10, 0}, 0.1), 1);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.9), 7);
}

TEST(BenchReport, SpeedupOverTheFirstOfTheGroup) {
  BenchReport two = report();
  EXPECT_DOUBLE_EQ(speedup(two, two.rows[0]).time, 1);
  EXPECT_DOUBLE_EQ(speedup(two, two.rows[1]).time, 2);
  EXPECT_DOUBLE_EQ(speedup(two, two.rows[1]).flops, 3);
  two.rows[1].group = 1;
  EXPECT_DOUBLE_EQ(speedup(two, two.rows[1]).time, 1) << "of another group";
  EXPECT_DOUBLE_EQ(gemm_share(two.rows[0]), 0.6);
}

TEST(BenchReport, MarkdownMarksWhatIsExtrapolated) {
  BenchReport two = report();
  const std::string text = bench_markdown(two);
  EXPECT_NE(text.find("| Model | Batch | Latency (GPU) | Latency (CPU) | FLOPs | Speedup | FID ↓ | "
                      "IS ↑ |"),
            std::string::npos);
  EXPECT_NE(text.find("| MAR-H, bf16 | 8 |  | 100.00 s | 60.000 T | 1.00× |  |  |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| LazyMAR-H --lazy_caches token,head, bf16 | 8 |  | ≈ 50.00 s | 20.000 T | "
                      "2.00× |  |  |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("12 of 64"), std::string::npos);
  two.rows[1].measured_steps = 64;
  EXPECT_EQ(bench_markdown(two).find("≈"), std::string::npos);
  // Every line of a table has as many cells as its heading.
  std::istringstream lines(text);
  int64_t columns = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto bars = std::count(line.begin(), line.end(), '|');
    EXPECT_TRUE(bars == 0 || columns == 0 || bars == columns) << line;
    columns = bars;
  }
}

TEST(BenchReport, MarkdownSaysWhatSecondsAre) {
  const std::string cpu = bench_markdown(report());
  EXPECT_NE(cpu.find("They are wall time"), std::string::npos) << cpu;
  EXPECT_EQ(cpu.find("SM clock"), std::string::npos) << cpu;
  EXPECT_EQ(cpu.find("GPU's"), std::string::npos) << cpu;
  EXPECT_NE(cpu.find("| MAR-H, bf16 | 8 | 100.00 | 98.40 | 101.60 | 100.25 |"), std::string::npos)
      << cpu;
  EXPECT_NE(cpu.find("| ≈ 50.25 |"), std::string::npos) << cpu;

  const std::string gpu = bench_markdown(gpu_report());
  EXPECT_NE(gpu.find("| MAR-H, bf16 | 8 | 100.00 s |  |"), std::string::npos) << gpu;
  EXPECT_NE(gpu.find("They are GPU time between CUDA events"), std::string::npos) << gpu;
  EXPECT_EQ(gpu.find("wall time"), std::string::npos) << gpu;
  EXPECT_NE(
      gpu.find("| MAR-H, bf16 | 8 | 1800 MHz (1980) | 2619 MHz (2619) | 670 W (690) |  | 3 |"),
      std::string::npos)
      << gpu;
  EXPECT_NE(gpu.find("| LazyMAR-H --lazy_caches token,head, bf16 | 8 |  |  |  |  | 0 |"),
            std::string::npos)
      << gpu;
}

TEST(BenchReport, GpuFiguresAreMedianAndLargestOfWhatWasTold) {
  const BenchReport two = gpu_report();
  const auto power = gpu_figure(two.rows[0], &GpuState::power);
  ASSERT_TRUE(power);
  EXPECT_DOUBLE_EQ(power->median, 670.25);
  EXPECT_DOUBLE_EQ(power->most, 690);
  EXPECT_FALSE(gpu_figure(two.rows[0], &GpuState::temperature));
  EXPECT_FALSE(gpu_figure(two.rows[1], &GpuState::power));
}

TEST(BenchReport, JsonAndCsvOfAGpu) {
  const BenchReport two = gpu_report();
  const auto json = nlohmann::json::parse(bench_json(two));
  const auto& gpu = json["rows"][0]["gpu"];
  EXPECT_EQ(gpu["samples"], 3);
  EXPECT_EQ(gpu["sm_clock_mhz"]["median"], 1800.0);
  EXPECT_EQ(gpu["sm_clock_mhz"]["max"], 1980.0);
  EXPECT_EQ(gpu["power_watts"]["median"], 670.25);
  EXPECT_TRUE(gpu["temperature_celsius"].is_null());
  EXPECT_TRUE(json["rows"][1]["gpu"].is_null());
  const std::string csv = bench_csv(two);
  EXPECT_NE(csv.find(",7000000000,3,1800.0,1980.0,2619.0,2619.0,670.25,690.0,,,1000000000000.0,"),
            std::string::npos)
      << csv;
  EXPECT_NE(csv.find(",2500000000,0,,,,,,,,,,1000000000000.0,"), std::string::npos) << csv;
  // Every line has as many fields as the heading; the second arm contains a comma.
  std::istringstream lines(csv);
  std::string heading, first, second;
  std::getline(lines, heading);
  std::getline(lines, first);
  std::getline(lines, second);
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  EXPECT_EQ(commas(first), commas(heading) + 1) << "the device's name has one";
  EXPECT_EQ(commas(second), commas(heading) + 2) << "and the arm's";
}

TEST(BenchReport, JsonAndCsvSayTheSame) {
  const BenchReport two = report();
  const auto json = nlohmann::json::parse(bench_json(two));
  ASSERT_EQ(json["rows"].size(), 2U);
  EXPECT_EQ(json["rows"][1]["extrapolated"], true);
  EXPECT_EQ(json["rows"][1]["seconds_per_image"]["median"], 50.0);
  EXPECT_EQ(json["rows"][1]["seconds_per_image"]["p10"], 42.0);
  EXPECT_EQ(json["rows"][1]["wall_seconds_per_image"]["median"], 50.25);
  EXPECT_EQ(json["rows"][1]["wall_seconds_per_image"]["runs"].size(), 3U);
  EXPECT_TRUE(json["rows"][0]["gpu"].is_null()) << "on a CPU";
  EXPECT_EQ(json["rows"][0]["stage_seconds_per_image"]["decoder"], 50.0);
  EXPECT_EQ(json["order"].size(), 6U);
  const std::string csv = bench_csv(two);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_NE(csv.find("mar_huge,8,\"lazy --precision bf16 --lazy_caches "
                     "token,head\",bf16,64,100,true,12,50.0,42.0,58.0,50.25,42.25,58.25,"),
            std::string::npos)
      << csv;
}

}  // namespace
}  // namespace lazymar
