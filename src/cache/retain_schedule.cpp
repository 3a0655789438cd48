#include "cache/retain_schedule.h"

#include <algorithm>
#include <array>

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

RetainSchedule::RetainSchedule(const LazyOptions& options, int64_t num_iter) {
  const std::vector<double> table =
      options.retain == RetainKind::kList ? options.retain_list : published_table();
  if (options.retain != RetainKind::kScaled) {
    ratios_ = table;
    return;
  }
  const auto entries = static_cast<int64_t>(table.size());
  for (int64_t step = 0; step < num_iter; ++step) {
    ratios_.push_back(table[static_cast<size_t>(step * entries / num_iter)]);
  }
}

double RetainSchedule::ratio(int64_t step) const {
  return ratios_[std::min(static_cast<size_t>(step), ratios_.size() - 1)];
}

}  // namespace lazymar
