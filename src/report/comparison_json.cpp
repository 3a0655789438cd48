#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/revision.h"
#include "report/comparison.h"
#include "report/numbers.h"
#include "run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr size_t kWorst = 10;

ordered_json json_of(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? ordered_json(*number) : ordered_json();
}

ordered_json json_of(const std::optional<Interval>& interval) {
  return interval ? ordered_json{interval->first, interval->second} : ordered_json();
}

ordered_json latency_json(const std::vector<double>& sorted) {
  return {{"shards", sorted.size()},       {"least", quantile(sorted, 0)},
          {"p05", quantile(sorted, 0.05)}, {"median", quantile(sorted, 0.5)},
          {"p95", quantile(sorted, 0.95)}, {"most", quantile(sorted, 1)}};
}

ordered_json steps_json(const RunData& run, const RunFigures& of) {
  ordered_json seconds = ordered_json::array();
  ordered_json flops = ordered_json::array();
  for (const StepCost& cost : step_costs(run.shards)) {
    seconds.push_back(cost.seconds);
    flops.push_back(cost.flops);
  }
  return {{"full", of.full_steps},
          {"lazy", of.lazy_steps},
          {"kinds", run.step_kinds},
          {"seconds_per_image", seconds},
          {"flops_per_image", flops}};
}

ordered_json run_json(const RunData& run, const RunData& baseline) {
  const RunFigures of = figures(run, baseline);
  ordered_json stages;
  for (const StageTime& stage : stage_times(run.shards)) {
    stages[std::string(stage.name)] = stage.seconds;
  }
  const Scores& scores = run.scores;
  const bool paired = scores.against(baseline.scores);
  return {
      {"label", run.label},
      {"folder", run.folder.string()},
      {"complete", run.complete()},
      {"images", run.images.size()},
      {"num_images", run.plan.num_images()},
      {"device", run.on_gpu ? "gpu" : "cpu"},
      {"seconds_per_image", of.seconds_per_image},
      {"seconds_per_image_with_warm_up", of.warm_up},
      {"speedup", json_of(of.speedup)},
      {"latency", latency_json(of.latencies)},
      {"stages", stages},
      {"flops_per_image", of.flops},
      {"computed_share",
       {{"transformer_rows", json_of(of.transformer_rows)}, {"head_rows", json_of(of.head_rows)}}},
      {"steps", steps_json(run, of)},
      {"fid", json_of(scores.fid)},
      {"fid_interval", json_of(scores.fid_interval)},
      {"inception_score",
       {{"mean", json_of(scores.inception_score)},
        {"deviation", json_of(scores.inception_deviation)},
        {"interval", json_of(scores.inception_interval)}}},
      {"fid_difference", paired ? json_of(scores.fid_difference) : ordered_json()},
      {"fid_difference_interval",
       paired ? json_of(scores.fid_difference_interval) : ordered_json()},
      {"settings", run.settings},
      {"weights_sha256", run.weights}};
}

ordered_json pair_json(const Pair& pair) {
  return {{"id", pair.id}, {"psnr", json_of(pair.psnr)}, {"ssim", json_of(pair.ssim)}};
}

ordered_json paired_json(const PairedRun& paired) {
  const PairStatistics all = statistics(paired.pairs);
  ordered_json pairs = ordered_json::array();
  for (const Pair& pair : paired.pairs) {
    pairs.push_back(pair_json(pair));
  }
  const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(std::min(kWorst, pairs.size()));
  return {{"count", all.count},
          {"identical", all.identical},
          {"psnr", {{"mean", json_of(all.psnr_mean)}, {"median", json_of(all.psnr_median)}}},
          {"ssim", {{"mean", json_of(all.ssim_mean)}, {"median", json_of(all.ssim_median)}}},
          {"worst", ordered_json(ordered_json::array_t(pairs.begin(), end))},
          {"all", pairs},
          {"left_out", paired.left_out},
          {"differences", paired.differences}};
}

}  // namespace

ordered_json comparison_json(const Comparison& comparison) {
  ordered_json runs = ordered_json::array();
  for (size_t i = 0; i < comparison.runs.size(); ++i) {
    ordered_json run = run_json(comparison.runs[i], comparison.runs.front());
    if (!comparison.rules.empty()) {
      run["rules"] = rules_json(comparison.rules[i], i == 0 ? nullptr : &comparison.rules.front());
    }
    run["pairs"] = i == 0 ? ordered_json() : paired_json(comparison.paired[i - 1]);
    runs.push_back(std::move(run));
  }
  ordered_json json = {{"runs", runs}, {"version", version_string()}};
  if (comparison.redundancy) {
    json["features"] = redundancy_json(*comparison.redundancy);
  }
  if (comparison.replay) {
    json["replay"] = replay_json(*comparison.replay);
  }
  if (comparison.suggestion) {
    json["suggestion"] = {{"tolerance", comparison.suggestion->tolerance},
                          {"lazy_warmup", comparison.suggestion_for.warmup},
                          {"lazy_refresh", comparison.suggestion_for.refresh},
                          {"lazy_retain", comparison.suggestion->list()},
                          {"shares", comparison.suggestion->shares}};
  }
  return json;
}

std::string comparison_text(const Comparison& comparison) {
  std::string text =
      "     s/image  speedup  TFLOP/image      FID       IS     PSNR     SSIM  run\n";
  for (size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    const RunFigures of = figures(run, comparison.runs.front());
    const PairStatistics likeness =
        i == 0 ? PairStatistics() : statistics(comparison.paired[i - 1].pairs);
    char line[256];
    std::snprintf(
        line, sizeof line, "%12s %8s %12s %8s %8s %8s %8s  ",
        number_text(of.seconds_per_image, 4).c_str(), number_text(of.speedup, 2).c_str(),
        number_text(static_cast<double>(of.flops) * 1e-12, 3).c_str(),
        number_text(run.scores.fid, 2).c_str(), number_text(run.scores.inception_score, 1).c_str(),
        number_text(likeness.psnr_median, 2).c_str(), number_text(likeness.ssim_median, 4).c_str());
    text += line + run.label + "\n";
  }
  if (!comparison.rules.empty()) {
    text += rules_text(comparison.rules);
  }
  for (const RunData& run : comparison.runs) {
    if (run.scores.against(comparison.runs.front().scores)) {
      for (const std::string& sentence : run.scores.sentences) {
        text += concat(run.label, ": ", sentence, "\n");
      }
    }
  }
  return text;
}

}  // namespace lazymar
