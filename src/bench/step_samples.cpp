#include "bench/step_samples.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lazymar {
namespace {

// Partial steps are distinguished by their share of rows, 0 to 1.
constexpr double kFirst = -2;
constexpr double kFull = -1;

/// Linear interpolation through points (x, y) by ascending x, constant beyond the ends.
double on_line(const std::vector<std::pair<double, double>>& points, double x) {
  const auto above = std::lower_bound(points.begin(), points.end(), std::pair(x, -1.0));
  if (above == points.end()) {
    return points.back().second;
  }
  if (above == points.begin() || above->first == x) {
    return above->second;
  }
  const auto below = above - 1;
  const double share = (x - below->first) / (above->first - below->first);
  return below->second + share * (above->second - below->second);
}

/// Points of equal x become their mean.
std::vector<std::pair<double, double>> merged(std::vector<std::pair<double, double>> points) {
  std::map<double, std::pair<double, double>> sums;  // x -> sum of y, count
  for (const auto& [x, y] : points) {
    sums[x].first += y;
    sums[x].second += 1;
  }
  points.clear();
  for (const auto& [x, sum] : sums) {
    points.emplace_back(x, sum.first / sum.second);
  }
  return points;
}

}  // namespace

StepSamples::StepSamples(const Workload& workload, int64_t images, int64_t per_kind) {
  const FlopFormula formula(workload);
  for (const DecodeStep& step : formula.steps()) {
    Step& mine = steps_.emplace_back();
    mine.flops = formula.step(step, images);
    mine.kind = step.index == 0 ? kFirst : step.partial() ? formula.work(step).share : kFull;
  }
  choose(per_kind);
  choose_extremes(formula.steps());
  complete(formula);
}

void StepSamples::choose(int64_t per_kind) {
  std::map<double, std::vector<Step*>> kinds;
  for (Step& step : steps_) {
    kinds[step.kind].push_back(&step);
  }
  for (auto& [kind, members] : kinds) {
    const auto last = static_cast<int64_t>(members.size()) - 1;
    const int64_t wanted = std::min(per_kind, last + 1);
    for (int64_t i = 0; i < wanted; ++i) {
      const int64_t member = wanted == 1 ? last / 2 : i * last / (wanted - 1);
      members[static_cast<size_t>(member)]->measured = true;
    }
  }
}

void StepSamples::choose_extremes(const std::vector<DecodeStep>& plan) {
  const auto fewer = [](const DecodeStep& a, const DecodeStep& b) {
    return a.predicted() < b.predicted();
  };
  const auto [least, most] = std::minmax_element(plan.begin(), plan.end(), fewer);
  steps_[at(*least)].measured = steps_[at(*most)].measured = true;
}

void StepSamples::complete(const FlopFormula& formula) {
  const auto& plan = formula.steps();
  // A measured step needs the tokens and rows of the step before.
  for (size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].computed = steps_[i].measured || (i + 1 < steps_.size() && steps_[i + 1].measured);
  }
  // A lazy step needs the caches of the last full one.
  std::optional<size_t> full;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!plan[i].partial()) {
      full = i;
    } else if (steps_[i].computed && full) {
      steps_[*full].computed = true;
    }
  }
}

int64_t StepSamples::measured_count() const {
  return std::count_if(steps_.begin(), steps_.end(), [](const Step& s) { return s.measured; });
}

void StepSamples::add(const DecodeStep& step, const StageSeconds& seconds) {
  steps_[at(step)].seconds += seconds;
}

StageSeconds StepSamples::sum() {
  using Points = std::vector<std::pair<double, double>>;
  const auto flops = [](int64_t count) { return static_cast<double>(count); };
  std::map<double, Points> encoder;
  std::map<double, Points> decoder;
  Points head;
  for (const Step& step : steps_) {
    if (step.measured) {
      encoder[step.kind].emplace_back(flops(step.flops.encoder), step.seconds.encoder);
      decoder[step.kind].emplace_back(flops(step.flops.decoder), step.seconds.decoder);
      head.emplace_back(flops(step.flops.head()), step.seconds.head);
    }
  }
  head = merged(std::move(head));
  StageSeconds sum;
  for (auto& [kind, points] : encoder) {
    points = merged(std::move(points));
    decoder[kind] = merged(std::move(decoder[kind]));
  }
  for (Step& step : steps_) {
    sum.encoder += step.measured ? step.seconds.encoder
                                 : on_line(encoder[step.kind], flops(step.flops.encoder));
    sum.decoder += step.measured ? step.seconds.decoder
                                 : on_line(decoder[step.kind], flops(step.flops.decoder));
    sum.head += step.measured ? step.seconds.head : on_line(head, flops(step.flops.head()));
  }
  for (Step& step : steps_) {
    step.seconds = {};
  }
  return sum;
}

}  // namespace lazymar
