#include "lazymar/eval/summary.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "lazymar/core/revision.h"
#include "lazymar/lazy/retain_schedule.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// The blocks that are measured: full ones after the first, or else the first.
std::vector<BlockRecord> measured_blocks(const RunSummary& summary) {
  std::vector<BlockRecord> measured;
  for (size_t i = 1; i < summary.blocks.size(); ++i) {
    if (summary.blocks[i].images == summary.blocks[i].slots) {
      measured.push_back(summary.blocks[i]);
    }
  }
  if (measured.empty() && !summary.blocks.empty()) {
    measured.push_back(summary.blocks.front());
  }
  return measured;
}

/// Seconds per image by stage, means over the measured blocks.
std::array<std::pair<const char*, double>, 5> stage_seconds(const RunSummary& summary) {
  std::array<std::pair<const char*, double>, 5> stages{
      {{"encoder", 0.0}, {"decoder", 0.0}, {"head", 0.0}, {"vae", 0.0}, {"png", 0.0}}};
  double images = 0;
  for (const BlockRecord& block : measured_blocks(summary)) {
    const StageSeconds& s = block.seconds;
    const std::array<double, 5> seconds{s.encoder, s.decoder, s.head, s.vae, block.png_seconds};
    for (size_t i = 0; i < stages.size(); ++i) {
      stages[i].second += seconds[i];
    }
    images += static_cast<double>(block.images);
  }
  for (auto& [name, seconds] : stages) {
    seconds = images > 0 ? seconds / images : 0.0;
  }
  return stages;
}

int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

int64_t written_images(const RunSummary& summary) {
  int64_t images = 0;
  for (const BlockRecord& block : summary.blocks) {
    images += block.images;
  }
  return images;
}

/// Work of one computed slot; all blocks do the same.
WorkCount work_per_image(const RunSummary& summary) {
  if (summary.blocks.empty()) {
    return {};
  }
  const BlockRecord& block = summary.blocks.front();
  return {block.work.flops / block.slots, block.work.block_rows / block.slots,
          block.work.head_rows / block.slots};
}

double images_per_second(const RunSummary& summary) {
  return summary.wall_seconds > 0
             ? static_cast<double>(written_images(summary)) / summary.wall_seconds
             : 0.0;
}

ordered_json lazy_json(const LazyOptions& lazy) {
  ordered_json caches = ordered_json::array();
  for (const auto& [name, used] :
       {std::pair{"token", lazy.token}, {"condition", lazy.condition}, {"head", lazy.head}}) {
    if (used) {
      caches.push_back(name);
    }
  }
  return {{"caches", caches},
          {"warmup", lazy.warmup},
          {"refresh", lazy.refresh},
          {"prune_layer", lazy.prune_layer},
          {"extra", lazy.extra},
          {"head_refresh", lazy.head_refresh},
          {"retain", retain_string(lazy)},
          {"condition_scale", lazy.condition_scale}};
}

ordered_json settings_json(const RunSummary& summary) {
  const SamplingOptions& sampling = summary.sampling;
  ordered_json settings = {{"model", summary.model},
                           {"weights", summary.mar_source},
                           {"vae", summary.vae_source},
                           {"num_images", summary.num_images},
                           {"eval_bsz", summary.eval_bsz},
                           {"seed", summary.seed},
                           {"num_iter", sampling.num_iter},
                           {"num_sampling_steps", sampling.num_sampling_steps},
                           {"cfg", sampling.cfg},
                           {"cfg_schedule", to_string(sampling.cfg_schedule)},
                           {"temperature", sampling.temperature},
                           {"device", summary.device},
                           {"precision", summary.precision},
                           {"threads", summary.threads}};
  settings["lazy_mar"] = summary.lazy ? lazy_json(*summary.lazy) : ordered_json(nullptr);
  return settings;
}

ordered_json known(const std::string& hash) {
  return hash.empty() ? ordered_json(nullptr) : ordered_json(hash);
}

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

double percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

}  // namespace

double seconds_per_image(const RunSummary& summary) {
  std::vector<double> seconds;
  for (const BlockRecord& block : measured_blocks(summary)) {
    seconds.push_back(block.seconds.total / static_cast<double>(block.images));
  }
  if (seconds.empty()) {
    return 0.0;
  }
  std::sort(seconds.begin(), seconds.end());
  const size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

std::string summary_json(const RunSummary& summary) {
  const WorkCount work = work_per_image(summary);
  ordered_json stages;
  for (const auto& [name, seconds] : stage_seconds(summary)) {
    stages[name] = seconds;
  }
  const ordered_json json = {
      {"complete", summary.complete},
      {"images", written_images(summary)},
      {"seconds_per_image", seconds_per_image(summary)},
      {"seconds_per_image_from_first_block", summary.blocks.size() < 2},
      {"images_per_second", images_per_second(summary)},
      {"wall_seconds", summary.wall_seconds},
      {"stages", stages},
      {"flops_per_image", work.flops},
      {"steps",
       {{"full", summary.sampling.num_iter - summary.lazy_steps}, {"lazy", summary.lazy_steps}}},
      {"rows_per_image",
       {{"transformer",
         {{"computed", work.block_rows}, {"total", summary.baseline_rows.block_rows}}},
        {"head", {{"computed", work.head_rows}, {"total", summary.baseline_rows.head_rows}}}}},
      {"peak_rss_bytes", peak_rss_bytes()},
      {"weights_sha256", {{"mar", known(summary.mar_hash)}, {"vae", known(summary.vae_hash)}}},
      {"settings", settings_json(summary)},
      {"version", version_string()}};
  return json.dump(2) + "\n";
}

std::string summary_text(const RunSummary& summary) {
  const double seconds = seconds_per_image(summary);
  const bool first_only = measured_blocks(summary).front().slots != 0 && summary.blocks.size() < 2;
  std::string text = format("%lld images in %.1f s: %.2f images/s\n",
                            static_cast<long long>(written_images(summary)), summary.wall_seconds,
                            images_per_second(summary));
  text += format("%.4f seconds per image (%s; VAE included, PNG excluded):", seconds,
                 first_only ? "the first block, warm-up included" : "median of blocks");
  for (const auto& [name, stage] : stage_seconds(summary)) {
    if (std::string_view(name) != "png") {
      text += format(" %s %.0f %%", name, seconds > 0 ? 100 * stage / seconds : 0.0);
    }
  }
  const WorkCount work = work_per_image(summary);
  text += format(
      "\n%lld full and %lld lazy decoding steps; computed %.1f %% of the transformer's "
      "and %.1f %% of the head's rows; %.3f TFLOP an image\n",
      static_cast<long long>(summary.sampling.num_iter - summary.lazy_steps),
      static_cast<long long>(summary.lazy_steps),
      percent(work.block_rows, summary.baseline_rows.block_rows),
      percent(work.head_rows, summary.baseline_rows.head_rows),
      static_cast<double>(work.flops) * 1e-12);
  return text;
}

}  // namespace lazymar
