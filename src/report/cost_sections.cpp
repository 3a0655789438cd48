#include <algorithm>

#include "core/error.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "run/timings.h"

namespace lazymar {

std::string stages_section(const Comparison& comparison) {
  double most = 1e-12;
  for (const RunData& run : comparison.runs) {
    double sum = 0;
    for (const StageTime& stage : stage_times(run.shards)) {
      sum += stage.seconds;
    }
    most = std::max(most, sum);
  }
  std::string key;
  std::string bars;
  for (const RunData& run : comparison.runs) {
    const auto stages = stage_times(run.shards);
    double sum = 0;
    std::string parts;
    for (size_t i = 0; i < stages.size(); ++i) {
      sum += stages[i].seconds;
      parts += concat(
          "<i class=\"c", i, "\" style=\"width:", number_text(100 * stages[i].seconds / most, 2),
          "%\" title=\"", stages[i].name, " ", number_text(stages[i].seconds, 4), " s\"></i>");
    }
    std::string shares;
    for (const StageTime& stage : stages) {
      shares += concat(shares.empty() ? "" : ", ", stage.name, " ",
                       percent(sum > 0 ? std::optional(stage.seconds / sum) : std::nullopt));
    }
    bars += concat("<div><div>", escape_html(run.label), "</div><div class=\"bar\">", parts,
                   "</div><div class=\"faint\">", number_text(sum, 3), " s per image: ", shares,
                   "</div></div>");
  }
  const auto names = stage_times({});
  for (size_t i = 0; i < names.size(); ++i) {
    key += concat("<span class=\"key c", i, "\"></span>", names[i].name);
  }
  return section("stages", "Where the time goes",
                 "<p class=\"faint\">" + key + "</p><div class=\"bars\">" + bars + "</div>");
}

std::string latency_section(const Comparison& comparison) {
  std::vector<LatencyRow> rows;
  std::string table = cells("th", {"Run", "shards", "least", "5 %", "median", "95 %", "most"});
  for (const RunData& run : comparison.runs) {
    rows.push_back({run.label, figures(run, run).latencies});
    const std::vector<double>& seconds = rows.back().seconds;
    std::vector<std::string> row{escape_html(run.label), std::to_string(seconds.size())};
    for (const double share : {0.0, 0.05, 0.5, 0.95, 1.0}) {
      row.push_back(number_text(quantile(seconds, share), 4));
    }
    table += cells("td", row);
  }
  return section("latency", "Latency, shard by shard",
                 latency_chart(rows) + "<div class=\"scroll\"><table>" + table + "</table></div>");
}

std::string steps_section(const Comparison& comparison) {
  const auto seconds_of = [](const RunData& run) {
    std::vector<double> milliseconds;
    for (const StepCost& cost : step_costs(run.shards)) {
      milliseconds.push_back(cost.seconds * 1e3);
    }
    return milliseconds;
  };
  const auto flops_of = [](const RunData& run) {
    std::vector<double> gigas;
    for (const StepCost& cost : step_costs(run.shards)) {
      gigas.push_back(static_cast<double>(cost.flops) * 1e-9);
    }
    return gigas;
  };
  std::string body =
      "<p class=\"faint\"><span class=\"key cf\"></span>full step<span class=\"key cl\"></span>"
      "lazy step<span class=\"key cb\"></span>run 0</p>";
  const RunData& baseline = comparison.runs.front();
  for (size_t i = 1; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    body += "<h3>" + escape_html(run.label) + "</h3>";
    const std::vector<double> seconds = seconds_of(run);
    if (seconds.empty()) {
      body += "<p>This run has no record of its decoding steps.</p>";
      continue;
    }
    body += step_chart(seconds, run.step_kinds, seconds_of(baseline), "milliseconds per image");
    body += step_chart(flops_of(run), run.step_kinds, flops_of(baseline), "GFLOP per image");
  }
  return section("steps", "Cost of a decoding step", body);
}

std::string trade_section(const Comparison& comparison) {
  const bool scored = std::all_of(comparison.runs.begin(), comparison.runs.end(),
                                  [](const RunData& run) { return run.scores.fid.has_value(); });
  std::vector<TradePoint> points;
  for (size_t i = scored ? 0 : 1; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    const std::optional<double> quality =
        scored ? run.scores.fid : likeness(comparison, i).ssim_median;
    if (quality) {
      points.push_back({run.label, seconds_per_image(run.shards), *quality, static_cast<int>(i)});
    }
  }
  if (points.size() < 2) {
    return "";
  }
  std::string key;
  for (const TradePoint& point : points) {
    key += concat(key.empty() ? "" : ", ", point.number, ": ", point.label);
  }
  return section(
      "tradeoff", "Speed against quality",
      trade_chart(points, scored ? "FID (lower is better)" : "median SSIM", !scored) +
          "<p class=\"faint\">The line joins the runs that no other run beats in both. " +
          escape_html(key) + "</p>");
}

}  // namespace lazymar
