#include "generate/summary.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/revision.h"
#include "run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

double images_per_second(const RunSummary& summary) {
  const double seconds = active_seconds(summary.shards);
  return seconds > 0 ? static_cast<double>(written_images(summary.shards)) / seconds : 0.0;
}

int64_t count_of(const RunSummary& summary, char kind) {
  return std::count(summary.step_kinds.begin(), summary.step_kinds.end(), kind);
}

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// What computed on the GPU, and shards that were computed otherwise.
void add_device(const RunSummary& summary, ordered_json& json) {
  if (!summary.kernels.empty()) {
    json.update({{"kernels", summary.kernels},
                 {"graphs", summary.graphs},
                 {"device_check", summary.device_check}});
  }
  ordered_json otherwise = ordered_json::object();
  for (const ShardRecord& shard : summary.shards) {
    if (!shard.computed_by.empty()) {
      otherwise[shard.computed_by].push_back(shard.shard);
    }
  }
  if (!otherwise.empty()) {
    json["computed_otherwise"] = otherwise;
  }
}

double percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

}  // namespace

std::string summary_json(const RunSummary& summary) {
  const WorkPerImage work = work_per_image(summary.shards);
  ordered_json stages;
  for (const StageTime& stage : stage_times(summary.shards)) {
    stages[std::string(stage.name)] = stage.seconds;
  }
  ordered_json settings = summary.settings;
  settings.update({{"weights", summary.mar_source},
                   {"vae", summary.vae_source},
                   {"device", summary.device},
                   {"threads", summary.threads}});
  ordered_json json = {
      {"complete", summary.checked && summary.failed.empty()},
      {"checked", summary.checked},
      {"images", written_images(summary.shards)},
      {"failed", summary.failed},
      {"seconds_per_image", seconds_per_image(summary.shards)},
      {"seconds_per_image_with_warm_up", measured_shards(summary.shards).warm_up},
      {"images_per_second", images_per_second(summary)},
      {"wall_seconds", active_seconds(summary.shards)},
      {"stages", stages},
      {"flops_per_image", work.flops},
      {"steps",
       {{"full", count_of(summary, 'F')},
        {"lazy", count_of(summary, 'L')},
        {"kinds", summary.step_kinds}}},
      {"rows_per_image",
       {{"transformer",
         {{"computed", work.block_rows}, {"total", summary.baseline_rows.block_rows}}},
        {"head", {{"computed", work.head_rows}, {"total", summary.baseline_rows.head_rows}}}}},
      {"peak_rss_bytes", peak_rss_bytes()},
      {"peak_device_bytes", summary.peak_device_bytes},
      {"weights_sha256", summary.weights},
      {"settings", settings},
      {"launch", summary.launch},
      {"version", version_string()}};
  add_device(summary, json);
  return json.dump(2) + "\n";
}

std::string summary_text(const RunSummary& summary) {
  const double seconds = seconds_per_image(summary.shards);
  std::string text = format("%lld images in %.1f s: %.2f images/s\n",
                            static_cast<long long>(written_images(summary.shards)),
                            active_seconds(summary.shards), images_per_second(summary));
  text += format("%.4f seconds per image (%s; VAE included, PNG excluded):", seconds,
                 measured_shards(summary.shards).warm_up ? "first shards, warm-up included"
                                                         : "median of shards");
  for (const StageTime& stage : stage_times(summary.shards)) {
    if (stage.name != "png") {
      text += format(" %s %.0f %%", std::string(stage.name).c_str(),
                     seconds > 0 ? 100 * stage.seconds / seconds : 0.0);
    }
  }
  const WorkPerImage work = work_per_image(summary.shards);
  text += format(
      "\n%lld full and %lld lazy decoding steps; computed %.1f %% of the transformer's "
      "and %.1f %% of the head's rows; %.3f TFLOP per image\n",
      static_cast<long long>(count_of(summary, 'F')),
      static_cast<long long>(count_of(summary, 'L')),
      percent(work.block_rows, summary.baseline_rows.block_rows),
      percent(work.head_rows, summary.baseline_rows.head_rows),
      static_cast<double>(work.flops) * 1e-12);
  return text;
}

}  // namespace lazymar
