#include "report/charts.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "report/html.h"
#include "report/svg.h"
#include "run/timings.h"

namespace lazymar {

std::string step_chart(std::span<const double> costs, const std::string& kinds,
                       std::span<const double> baseline, const std::string& unit) {
  constexpr double kBottom = 190;
  double most = 1e-12;
  for (const std::span<const double> values : {costs, baseline}) {
    for (const double value : values) {
      most = std::max(most, value);
    }
  }
  const Axis y{0, most, kBottom, kTop};
  const double slot = (kRight - kLeft) / static_cast<double>(std::max(costs.size(), size_t{1}));
  std::string svg = open_chart(kBottom + 40, "cost per decoding step");
  for (const double value : ticks_of(most)) {
    svg += line(kLeft, y.at(value), kRight, y.at(value), "grid");
    svg += words(kLeft - 6, y.at(value) + 4, "end", short_number(value));
  }
  for (size_t i = 0; i < costs.size(); ++i) {
    const bool known = i < kinds.size();
    const bool lazy = known && kinds[i] == 'L';
    svg += bar(kLeft + slot * static_cast<double>(i), y.at(costs[i]), slot * 0.85,
               kBottom - y.at(costs[i]), lazy ? "lazy" : "full",
               concat("step ", i, known ? (lazy ? ", lazy: " : ", full: ") : ": ",
                      short_number(costs[i]), " ", unit));
    if (i % std::max<size_t>(1, costs.size() / 8) == 0) {
      svg += words(kLeft + slot * (static_cast<double>(i) + 0.4), kBottom + 15, "middle",
                   std::to_string(i));
    }
  }
  if (baseline.size() == costs.size() && !baseline.empty()) {
    svg += "<polyline class=\"base\" points=\"";
    for (size_t i = 0; i < baseline.size(); ++i) {
      svg += coordinate(kLeft + slot * (static_cast<double>(i) + 0.42)) + "," +
             coordinate(y.at(baseline[i])) + " ";
    }
    svg += "\"/>";
  }
  return svg + words((kLeft + kRight) / 2, kBottom + 34, "middle", "decoding step; " + unit) +
         "</svg>";
}

std::string latency_chart(std::span<const LatencyRow> rows) {
  constexpr double kLane = 58;
  constexpr size_t kBins = 60;
  std::vector<double> all{0};
  for (const LatencyRow& row : rows) {
    all.insert(all.end(), row.seconds.begin(), row.seconds.end());
  }
  const double bottom = kTop + kLane * static_cast<double>(rows.size());
  const Axis x{0, 1.04 * std::max(*std::max_element(all.begin(), all.end()), 1e-9), 10, kRight};
  std::string svg = open_chart(bottom + 40, "distribution of latency");
  for (const double value : ticks_of(x.most)) {
    svg += line(x.at(value), kTop, x.at(value), bottom, "grid");
    svg += words(x.at(value), bottom + 15, "middle", short_number(value));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const double floor = kTop + kLane * static_cast<double>(i + 1) - 4;
    std::vector<int64_t> bins(kBins);
    for (const double value : rows[i].seconds) {
      const auto bin = static_cast<size_t>(value / x.most * kBins);
      ++bins[std::min(bin, kBins - 1)];
    }
    const auto highest = static_cast<double>(*std::max_element(bins.begin(), bins.end()));
    const double width = (kRight - 10) / kBins;
    for (size_t bin = 0; bin < kBins; ++bin) {
      if (bins[bin] > 0) {
        const double height = (kLane - 26) * static_cast<double>(bins[bin]) / highest;
        svg += bar(10 + width * static_cast<double>(bin), floor - height, width - 1, height,
                   i == 0 ? "full" : "lazy", concat(bins[bin], " shards"));
      }
    }
    const double median = quantile(rows[i].seconds, 0.5);
    svg += line(x.at(median), floor - kLane + 24, x.at(median), floor, "base");
    svg += words(12, floor - kLane + 16, "start", rows[i].label);
  }
  return svg + words((10 + kRight) / 2, bottom + 34, "middle", "seconds per image; line: median") +
         "</svg>";
}

std::string trade_chart(std::span<const TradePoint> points, const std::string& quality,
                        bool better_up) {
  constexpr double kBottom = 240;
  std::vector<double> seconds;
  std::vector<double> qualities;
  for (const TradePoint& point : points) {
    seconds.push_back(point.seconds);
    qualities.push_back(point.quality);
  }
  const Axis x = axis_around(seconds, kLeft, kRight);
  const Axis y = axis_around(qualities, kBottom, kTop);
  std::string svg = open_chart(kBottom + 40, "speed against quality");
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const double value = std::lerp(y.least, y.most, share);
    const double time = std::lerp(x.least, x.most, share);
    svg += line(kLeft, y.at(value), kRight, y.at(value), "grid");
    svg += words(kLeft - 6, y.at(value) + 4, "end", short_number(value));
    svg += words(x.at(time), kBottom + 15, share == 1.0 ? "end" : "middle", short_number(time));
  }
  // The Pareto front: no other run is both faster and better.
  std::vector<TradePoint> order(points.begin(), points.end());
  std::sort(order.begin(), order.end(),
            [](const TradePoint& a, const TradePoint& b) { return a.seconds < b.seconds; });
  std::string front;
  std::optional<double> best;
  for (const TradePoint& point : order) {
    const double value = better_up ? point.quality : -point.quality;
    if (!best || value > *best) {
      front += coordinate(x.at(point.seconds)) + "," + coordinate(y.at(point.quality)) + " ";
      best = value;
    }
  }
  svg += "<polyline class=\"base\" points=\"" + front + "\"/>";
  for (const TradePoint& point : points) {
    svg += concat("<circle class=\"lazy\" r=\"6\" cx=\"", coordinate(x.at(point.seconds)),
                  "\" cy=\"", coordinate(y.at(point.quality)), "\"><title>",
                  escape_html(point.label), "</title></circle>");
    svg += words(x.at(point.seconds) + 9, y.at(point.quality) - 7, "start",
                 std::to_string(point.number));
  }
  return svg +
         words((kLeft + kRight) / 2, kBottom + 34, "middle", "seconds per image; up: " + quality) +
         "</svg>";
}

}  // namespace lazymar
