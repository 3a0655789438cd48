#include "lazymar/eval/summary.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "lazymar/core/revision.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

bool is_full(const BlockRecord& block) {
  return static_cast<int64_t>(block.images.size()) == block.slots;
}

/// The blocks that are measured, and whether warm-up had to be taken in.
struct Measured {
  std::vector<BlockRecord> blocks;
  bool warm_up = false;
};

Measured measured_blocks(const RunSummary& summary) {
  Measured measured;
  for (const BlockRecord& block : summary.blocks) {
    if (!block.first && !block.micro_batch && is_full(block)) {
      measured.blocks.push_back(block);
    }
  }
  if (measured.blocks.empty()) {
    measured.blocks = summary.blocks;
    measured.warm_up = true;
  }
  return measured;
}

/// Seconds per image by stage, means over the measured blocks.
std::array<std::pair<const char*, double>, 5> stage_seconds(const RunSummary& summary) {
  std::array<std::pair<const char*, double>, 5> stages{
      {{"encoder", 0.0}, {"decoder", 0.0}, {"head", 0.0}, {"vae", 0.0}, {"png", 0.0}}};
  double images = 0;
  for (const BlockRecord& block : measured_blocks(summary).blocks) {
    const StageSeconds& s = block.seconds;
    const std::array<double, 5> seconds{s.encoder, s.decoder, s.head, s.vae, block.png_seconds};
    for (size_t i = 0; i < stages.size(); ++i) {
      stages[i].second += seconds[i];
    }
    images += static_cast<double>(block.slots);
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

/// Work of one computed slot; all blocks do the same.
WorkCount work_per_image(const RunSummary& summary) {
  if (summary.blocks.empty()) {
    return {};
  }
  const BlockRecord& block = summary.blocks.front();
  return {block.flops / block.slots, block.block_rows / block.slots, block.head_rows / block.slots};
}

double images_per_second(const RunSummary& summary) {
  const double seconds = active_seconds(summary.blocks);
  return seconds > 0 ? static_cast<double>(written_images(summary)) / seconds : 0.0;
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
  for (const BlockRecord& block : measured_blocks(summary).blocks) {
    seconds.push_back(block.seconds.total / static_cast<double>(block.slots));
  }
  if (seconds.empty()) {
    return 0.0;
  }
  std::sort(seconds.begin(), seconds.end());
  const size_t middle = seconds.size() / 2;
  return seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
}

int64_t written_images(const RunSummary& summary) {
  int64_t images = 0;
  for (const BlockRecord& block : summary.blocks) {
    images += static_cast<int64_t>(block.images.size());
  }
  return images;
}

double active_seconds(const std::vector<BlockRecord>& blocks) {
  std::map<std::string, std::pair<double, double>> launches;
  for (const BlockRecord& block : blocks) {
    const double started = block.finished - block.png_seconds - block.seconds.total;
    auto& [first, last] = launches.try_emplace(block.launch, started, block.finished).first->second;
    first = std::min(first, started);
    last = std::max(last, block.finished);
  }
  double seconds = 0;
  for (const auto& [launch, times] : launches) {
    seconds += times.second - times.first;
  }
  return seconds;
}

std::string summary_json(const RunSummary& summary) {
  const WorkCount work = work_per_image(summary);
  ordered_json stages;
  for (const auto& [name, seconds] : stage_seconds(summary)) {
    stages[name] = seconds;
  }
  ordered_json settings = summary.settings;
  settings.update({{"weights", summary.mar_source},
                   {"vae", summary.vae_source},
                   {"device", summary.device},
                   {"threads", summary.threads}});
  const ordered_json json = {
      {"complete", summary.checked && summary.failed.empty()},
      {"checked", summary.checked},
      {"images", written_images(summary)},
      {"failed", summary.failed},
      {"seconds_per_image", seconds_per_image(summary)},
      {"seconds_per_image_with_warm_up", measured_blocks(summary).warm_up},
      {"images_per_second", images_per_second(summary)},
      {"wall_seconds", active_seconds(summary.blocks)},
      {"stages", stages},
      {"flops_per_image", work.flops},
      {"steps", {{"full", summary.num_iter - summary.lazy_steps}, {"lazy", summary.lazy_steps}}},
      {"rows_per_image",
       {{"transformer",
         {{"computed", work.block_rows}, {"total", summary.baseline_rows.block_rows}}},
        {"head", {{"computed", work.head_rows}, {"total", summary.baseline_rows.head_rows}}}}},
      {"peak_rss_bytes", peak_rss_bytes()},
      {"weights_sha256", summary.weights},
      {"settings", settings},
      {"launch", summary.launch},
      {"version", version_string()}};
  return json.dump(2) + "\n";
}

std::string summary_text(const RunSummary& summary) {
  const double seconds = seconds_per_image(summary);
  std::string text = format("%lld images in %.1f s: %.2f images/s\n",
                            static_cast<long long>(written_images(summary)),
                            active_seconds(summary.blocks), images_per_second(summary));
  text += format(
      "%.4f seconds per image (%s; VAE included, PNG excluded):", seconds,
      measured_blocks(summary).warm_up ? "first blocks, warm-up included" : "median of blocks");
  for (const auto& [name, stage] : stage_seconds(summary)) {
    if (std::string_view(name) != "png") {
      text += format(" %s %.0f %%", name, seconds > 0 ? 100 * stage / seconds : 0.0);
    }
  }
  const WorkCount work = work_per_image(summary);
  text += format(
      "\n%lld full and %lld lazy decoding steps; computed %.1f %% of the transformer's "
      "and %.1f %% of the head's rows; %.3f TFLOP an image\n",
      static_cast<long long>(summary.num_iter - summary.lazy_steps),
      static_cast<long long>(summary.lazy_steps),
      percent(work.block_rows, summary.baseline_rows.block_rows),
      percent(work.head_rows, summary.baseline_rows.head_rows),
      static_cast<double>(work.flops) * 1e-12);
  return text;
}

}  // namespace lazymar
