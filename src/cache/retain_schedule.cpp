#include "cache/retain_schedule.h"

#include <algorithm>
#include <array>

#include "method/token_schedules.h"

namespace lazymar {
namespace {

struct Stretch {
  int64_t steps;
  double ratio;
};

constexpr std::array<Stretch, 7> kPublished{
    {{20, 1.0}, {1, 0.6}, {4, 0.5}, {5, 0.4}, {5, 0.15}, {5, 0.12}, {24, 0.05}}};

std::vector<double> published_table() {
  std::vector<double> table;
  for (const auto& [steps, ratio] : kPublished) {
    table.insert(table.end(), static_cast<size_t>(steps), ratio);
  }
  return table;
}

}  // namespace

RetainSchedule::RetainSchedule(const LazyOptions& options, const std::vector<DecodeStep>& steps) {
  const std::vector<double> table =
      options.retain == RetainKind::kList ? options.retain_list : published_table();
  if (options.retain != RetainKind::kScaled && options.retain != RetainKind::kProgress) {
    ratios_ = table;
    return;
  }
  const auto entries = static_cast<int64_t>(table.size());
  const auto count = static_cast<int64_t>(steps.size());
  for (const DecodeStep& step : steps) {
    const int64_t entry = options.retain == RetainKind::kScaled
                              ? step.index * entries / count
                              : reference_step(steps.front().masked, step.masked);
    ratios_.push_back(table[static_cast<size_t>(entry)]);
  }
}

double RetainSchedule::ratio(int64_t step) const {
  return ratios_[std::min(static_cast<size_t>(step), ratios_.size() - 1)];
}

}  // namespace lazymar
