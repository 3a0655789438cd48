#include "bench/launches.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/markdown.h"
#include "bench/models.h"
#include "bench/table_files.h"
#include "core/text.h"
#include "launches/counted_batch.h"
#include "pipeline/model_files.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// Between two kernels in a row of a graph, of which one waits for the other: an assumption.
constexpr double kGapSeconds = 3.5e-6;

/// An arm with one model and batch size.
struct CountedArm {
  std::string name;
  int64_t images = 1;
  BatchLaunches batch;
};

double per_image(double total, const CountedArm& arm) {
  return total / static_cast<double>(arm.images);
}

/// Of one image: the least time on a card, and with a gap after each kernel.
std::string limits(const CountedArm& arm, const KernelWork& work, size_t card) {
  const double least = per_image(work.limit_seconds[card], arm);
  const double gaps = per_image(static_cast<double>(work.launches) * kGapSeconds, arm);
  return format("%.4f (%.4f)", least, least + gaps);
}

/// Kernels of the steps that are full, or of the others, on average.
std::string kernels_a_step(const BatchLaunches& batch, bool full) {
  int64_t steps = 0;
  int64_t kernels = 0;
  for (const StepLaunches& step : batch.steps) {
    steps += step.full == full ? 1 : 0;
    kernels += step.full == full ? step.total().total().launches : 0;
  }
  return steps == 0 ? "-"
                    : format("%lld (%lld steps)", static_cast<long long>(kernels / steps),
                             static_cast<long long>(steps));
}

std::string arms_table(const std::vector<CountedArm>& arms) {
  std::vector<std::string> titles{
      "arm",       "kernels in a full step", "in a cached step", "kernels in a batch",
      "in graphs", "started by the host",    "GB an image",      "TFLOP an image"};
  for (const Card& card : kCards) {
    titles.push_back(concat(card.name, ": s an image, at least (with gaps)"));
  }
  std::string text = heading(titles);
  for (const CountedArm& arm : arms) {
    const LaunchLog log = arm.batch.total();
    const KernelWork work = log.total();
    std::vector<std::string> row{
        arm.name,
        kernels_a_step(arm.batch, true),
        kernels_a_step(arm.batch, false),
        std::to_string(work.launches),
        std::to_string(log.graph_nodes),
        std::to_string(log.host_launches()),
        format("%.2f", per_image(static_cast<double>(work.bytes) * 1e-9, arm)),
        format("%.3f", per_image(static_cast<double>(work.flops) * 1e-12, arm))};
    for (size_t card = 0; card < kCardCount; ++card) {
      row.push_back(limits(arm, work, card));
    }
    text += cells(row);
  }
  return text;
}

/// The kernels of one arm by name, those that take longest first.
std::string names_table(const CountedArm& arm) {
  const LaunchLog log = arm.batch.total();
  const double all = log.total().limit_seconds[0];
  std::vector<std::pair<std::string, KernelWork>> rows(log.by_name.begin(), log.by_name.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second.limit_seconds[0] > b.second.limit_seconds[0];
  });
  std::string text = heading({"kernel", "launches in a batch", "a decoding step", "GB an image",
                              "TFLOP an image", concat("share of ", kCards[0].name, "'s time")});
  for (const auto& [name, work] : rows) {
    text += cells({name, std::to_string(work.launches),
                   format("%.1f", static_cast<double>(work.launches) /
                                      static_cast<double>(arm.batch.steps.size())),
                   format("%.3f", per_image(static_cast<double>(work.bytes) * 1e-9, arm)),
                   format("%.4f", per_image(static_cast<double>(work.flops) * 1e-12, arm)),
                   format("%.1f %%", 100 * work.limit_seconds[0] / all)});
  }
  return text;
}

ordered_json json_of(const LaunchLog& log) {
  ordered_json names = ordered_json::object();
  for (const auto& [name, work] : log.by_name) {
    names[name] = {{"launches", work.launches}, {"bytes", work.bytes}, {"flops", work.flops}};
    for (size_t card = 0; card < kCardCount; ++card) {
      names[name][concat("least_seconds_", lower(std::string(kCards[card].name)))] =
          work.limit_seconds[card];
    }
  }
  return {{"launches", log.total().launches},
          {"graph_nodes", log.graph_nodes},
          {"graph_launches", log.graph_launches},
          {"by_name", names}};
}

ordered_json json_of(const std::string& model, const CountedArm& arm) {
  ordered_json steps = ordered_json::array();
  for (const StepLaunches& step : arm.batch.steps) {
    steps.push_back({{"full", step.full},
                     {"encoder", json_of(step.encoder)},
                     {"decoder", json_of(step.decoder)},
                     {"head", json_of(step.head)}});
  }
  return {{"model", model},
          {"arm", arm.name},
          {"batch", arm.images},
          {"steps", steps},
          {"outside", json_of(arm.batch.outside)},
          {"vae", json_of(arm.batch.vae)}};
}

}  // namespace

ExitCode count_launches_of(const BenchOptions& options) {
  std::string text;
  ordered_json all = ordered_json::array();
  for (const std::string& model : options.models) {
    ModelRequest request = options.model;
    request.model = model;
    const NetworkShape shape = open_listed([&] { return read_shape(request); });
    for (const int64_t batch : options.batches) {
      std::vector<CountedArm> arms;
      for (const BenchArm& arm : options.arms) {
        const Precision precision = resolve_precision(arm.method.precision, /*on_cpu=*/false);
        const int64_t images = arm.batch.value_or(batch);
        arms.push_back(
            {arm.name, images,
             count_launches({shape, resolve_method(arm.method, shape.recommended), precision,
                             images, arm.method.cuda_graphs, arm.method.head_blocks})});
        all.push_back(json_of(model, arms.back()));
      }
      text += concat(text.empty() ? "" : "\n", model, " (", shape.source, "), batch ", batch,
                     "\n\n", arms_table(arms));
      for (const CountedArm& arm : arms) {
        text += concat("\n", arm.name, "\n\n", names_table(arm));
      }
    }
  }
  publish(options, text, ordered_json{{"arms", all}}.dump(2));
  return ExitCode::kDone;
}

}  // namespace lazymar
