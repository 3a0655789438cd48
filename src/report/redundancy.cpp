#include "report/redundancy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "report/numbers.h"
#include "run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr double kSmall = 0.1;  ///< the change that redundancy_text() looks for
constexpr int64_t kFar = 8;     ///< steps over which LazyMAR's defaults may reuse a feature

struct Rows {
  int64_t first = 0, last = 0;
};

Rows rows_of(RowKind kind, const DriftHeader& header, int64_t from, int64_t to) {
  const auto masked = [&](int64_t step) { return header.masked[static_cast<size_t>(step)]; };
  switch (kind) {
    case RowKind::kMasked:
      return {0, masked(to)};
    case RowKind::kNew:
      return {masked(to), masked(from)};
    case RowKind::kKnown:
      return {masked(from), header.length()};
    case RowKind::kBuffer:
      return {header.length(), header.rows};
    case RowKind::kPredicted:
      return {masked(to + 1), masked(to)};
  }
  return {};
}

std::string share_text(double share) {
  return number_text(100 * share, share < 0.1 ? 1 : 0) + " %";
}

double median(const std::vector<std::pair<int64_t, double>>& changes) {
  std::vector<double> values;
  values.reserve(changes.size());
  for (const auto& [step, change] : changes) {
    values.push_back(change);
  }
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

/// One sentence about one kind of rows.
std::string sentence(const std::string& what, const ChangeMap& map) {
  const auto adjacent = map.along(1);
  if (adjacent.empty()) {
    return what + ": no two steps have such rows.";
  }
  const auto from = map.below_from(kSmall);
  std::string text = what + " change";
  if (from) {
    double most = 0;
    for (const auto& [step, change] : adjacent) {
      most = step > *from ? std::max(most, change) : most;
    }
    text += concat(" by less than ", share_text(kSmall), " per step from step ", *from,
                   " on (at most ", share_text(most), "; ");
  } else {
    text += concat(" by ", share_text(kSmall), " or more per step until the end (");
  }
  text += concat("median over all steps ", share_text(median(adjacent)), ")");
  const auto far = map.along(kFar);
  return text +
         (far.empty() ? "." : concat("; over ", kFar, " steps by ", share_text(median(far)), "."));
}

ordered_json map_json(const ChangeMap& map) {
  const auto list = [&](int64_t distance) {
    ordered_json values = ordered_json::array();
    for (int64_t step = 0; step < map.steps(); ++step) {
      const auto change = step >= distance ? map.at(step - distance, step) : std::nullopt;
      values.push_back(change ? ordered_json(*change) : ordered_json());
    }
    return values;
  };
  const auto from = map.below_from(kSmall);
  return {{"below_10_percent_from", from ? ordered_json(*from) : ordered_json()},
          {"over_1_step", list(1)},
          {"over_8_steps", list(kFar)}};
}

}  // namespace

ChangeMap::ChangeMap(std::span<const ImageDrift> images, const std::string& feature, RowKind kind)
    : steps_(images.front().header.steps()),
      means_(static_cast<size_t>(steps_ * steps_), std::numeric_limits<double>::quiet_NaN()) {
  for (int64_t to = 1; to < steps_; ++to) {
    for (int64_t from = 0; from < to; ++from) {
      const auto [first, last] = rows_of(kind, images.front().header, from, to);
      double sum = 0;
      for (const ImageDrift& image : images) {
        const ChangeTable& table = image.changes.at(feature);
        for (int64_t row = first; row < last; ++row) {
          sum += static_cast<double>(table.at(from, to, row));
        }
      }
      if (last > first) {
        means_[static_cast<size_t>(from * steps_ + to)] =
            sum / static_cast<double>((last - first) * static_cast<int64_t>(images.size()));
      }
    }
  }
}

std::optional<double> ChangeMap::at(int64_t from, int64_t to) const {
  const double mean = means_[static_cast<size_t>(from * steps_ + to)];
  return std::isnan(mean) ? std::nullopt : std::optional(mean);
}

std::vector<std::pair<int64_t, double>> ChangeMap::along(int64_t distance) const {
  std::vector<std::pair<int64_t, double>> changes;
  for (int64_t to = distance; to < steps_; ++to) {
    if (const auto change = at(to - distance, to)) {
      changes.emplace_back(to, *change);
    }
  }
  return changes;
}

std::optional<int64_t> ChangeMap::below_from(double limit) const {
  const auto adjacent = along(1);
  std::optional<int64_t> from;
  for (auto change = adjacent.rbegin(); change != adjacent.rend() && change->second < limit;
       ++change) {
    from = change->first - 1;
  }
  return from;
}

Redundancy::Redundancy(std::span<const ImageDrift> recorded)
    : header(recorded.front().header),
      images(static_cast<int64_t>(recorded.size())),
      masked(recorded, "output", RowKind::kMasked),
      fresh(recorded, "output", RowKind::kNew),
      known(recorded, "output", RowKind::kKnown),
      buffer(recorded, "output", RowKind::kBuffer),
      values_masked(recorded, "values", RowKind::kMasked),
      values_fresh(recorded, "values", RowKind::kNew),
      values_known(recorded, "values", RowKind::kKnown),
      predicted(recorded, "output", RowKind::kPredicted) {
  if (recorded.front().changes.contains("difference")) {
    difference.emplace(recorded, "difference", RowKind::kPredicted);
  }
}

std::vector<std::string> redundancy_text(const Redundancy& redundancy) {
  std::vector<std::string> text{sentence("Known tokens", redundancy.known),
                                sentence("Masked tokens", redundancy.masked),
                                sentence("Tokens just decoded", redundancy.fresh)};
  if (redundancy.difference) {
    text.push_back(
        sentence("Guidance differences of the tokens to be predicted", *redundancy.difference));
  }
  return text;
}

ordered_json redundancy_json(const Redundancy& redundancy) {
  ordered_json outputs = {{"masked", map_json(redundancy.masked)},
                          {"new", map_json(redundancy.fresh)},
                          {"known", map_json(redundancy.known)},
                          {"buffer", map_json(redundancy.buffer)},
                          {"predicted", map_json(redundancy.predicted)}};
  return {{"images", redundancy.images},
          {"output", outputs},
          {"values",
           {{"layer", redundancy.header.value_layer},
            {"masked", map_json(redundancy.values_masked)},
            {"new", map_json(redundancy.values_fresh)},
            {"known", map_json(redundancy.values_known)}}},
          {"condition_difference",
           redundancy.difference ? map_json(*redundancy.difference) : ordered_json()},
          {"text", redundancy_text(redundancy)},
          {"settings", redundancy.header.settings}};
}

}  // namespace lazymar
