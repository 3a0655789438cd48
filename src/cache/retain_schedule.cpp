#include "cache/retain_schedule.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"

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

void parse_retain(std::string_view text, LazyOptions& options) {
  options.retain_list.clear();
  if (text == "published" || text == "scaled") {
    options.retain = text == "published" ? RetainKind::kPublished : RetainKind::kScaled;
    return;
  }
  options.retain = RetainKind::kList;
  const char* position = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    double ratio = 0.0;
    const auto [next, status] = std::from_chars(position, end, ratio);
    if (status != std::errc() || !(ratio >= 0.0 && ratio <= 1.0) || (next != end && *next != ',')) {
      throw usage_error("--lazy_retain ", text,
                        ": use published, scaled, or ratios from 0 to 1 separated by commas");
    }
    options.retain_list.push_back(ratio);
    if (next == end) {
      return;
    }
    position = next + 1;
  }
}

std::string retain_string(const LazyOptions& options) {
  if (options.retain != RetainKind::kList) {
    return options.retain == RetainKind::kPublished ? "published" : "scaled";
  }
  std::string text;
  for (const double ratio : options.retain_list) {
    text += concat(text.empty() ? "" : ",", ratio);
  }
  return text;
}

}  // namespace lazymar
