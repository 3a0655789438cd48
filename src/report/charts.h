#pragma once
/// Charts as inline SVG; the page's style sheet colours them, light and dark.

#include <span>
#include <string>
#include <vector>

#include "run/journal.h"

namespace lazymar {

/// A bar per decoding step, full and lazy ones in two colours, and the baseline's cost as a line.
/// `kinds`: 'F' or 'L' by step. `unit`: a value's factor and name.
std::string step_chart(std::span<const double> costs, const std::string& kinds,
                       std::span<const double> baseline, const std::string& unit);

/// Sorted latencies of each run on one axis, seconds per image.
struct LatencyRow {
  std::string label;
  std::vector<double> seconds;
};
std::string latency_chart(std::span<const LatencyRow> rows);

/// Runs as points: seconds per image against quality. `better_up`: higher is better.
struct TradePoint {
  std::string label;
  double seconds = 0.0, quality = 0.0;
  int number = 0;  ///< shown next to the point
};
std::string trade_chart(std::span<const TradePoint> points, const std::string& quality,
                        bool better_up);

}  // namespace lazymar
