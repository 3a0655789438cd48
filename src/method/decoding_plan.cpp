#include "method/decoding_plan.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "method/orders.h"

namespace lazymar {
namespace {

/// Rows still masked after each step of MAR's cosine. Its last value stays 1: guidance is scaled
/// by it, although the last step leaves nothing masked.
std::vector<int64_t> cosine_masked(int64_t length, int64_t steps) {
  if (steps < 1) {
    throw setting_error("num_iter", " ", steps, ": must be at least 1");
  }
  std::vector<int64_t> masked;
  int64_t before = length;
  for (int64_t s = 0; s < steps; ++s) {
    const double ratio =
        std::cos(std::numbers::pi / 2. * static_cast<double>(s + 1) / static_cast<double>(steps));
    const auto wanted = static_cast<int64_t>(std::floor(static_cast<double>(length) * ratio));
    masked.push_back(std::max<int64_t>(1, std::min(before - 1, wanted)));
    before = std::min(masked.back(), before);
  }
  return masked;
}

std::vector<int64_t> stage_masked(int64_t length, const std::vector<Stage>& stages) {
  std::vector<int64_t> masked;
  int64_t left = length;
  for (const Stage& stage : stages) {
    if (stage.tokens < 1 || stage.steps < 1) {
      throw usage_error("stages: ", stage.tokens, " tokens in ", stage.steps,
                        " steps: use at least 1 of each");
    }
    for (int64_t j = 0; j < stage.steps; ++j) {
      masked.push_back(std::max<int64_t>(1, left - stage.tokens * (j + 1) / stage.steps));
    }
    left -= stage.tokens;
  }
  if (left != 0) {
    throw usage_error("stages: they have ", length - left, " tokens; use as many as an image has, ",
                      length);
  }
  return masked;
}

void check_segments(const std::vector<HeadSegment>& head) {
  if (head.empty() || head.front().from_step != 0) {
    throw usage_error("head: nothing says how decoding step 0 is sampled; begin with from_step 0");
  }
  for (size_t i = 1; i < head.size(); ++i) {
    if (head[i].from_step <= head[i - 1].from_step) {
      throw usage_error("head: from_step ", head[i].from_step, " follows ", head[i - 1].from_step,
                        "; use ascending ones");
    }
  }
}

/// Assigns every step its schedule; equal schedules are stored once.
void add_head(DecodingPlan& plan) {
  const std::vector<HeadSegment>& head = plan.method.head;
  check_segments(head);
  const NoiseKeys keys = head == std::vector{HeadSegment{.steps = head.front().steps}}
                             ? NoiseKeys::kIndex
                             : NoiseKeys::kTimestep;
  std::vector<int64_t> schedule_of;
  for (const HeadSegment& segment : head) {
    HeadSchedule schedule = make_head_schedule(segment, keys);
    const auto known = std::find(plan.head_schedules.begin(), plan.head_schedules.end(), schedule);
    schedule_of.push_back(known - plan.head_schedules.begin());
    if (known == plan.head_schedules.end()) {
      plan.head_schedules.push_back(std::move(schedule));
    }
  }
  size_t segment = 0;
  for (DecodeStep& step : plan.steps) {
    while (segment + 1 < head.size() && head[segment + 1].from_step <= step.index) {
      ++segment;
    }
    step.head_schedule = schedule_of[segment];
  }
}

}  // namespace

DecodingPlan full_plan(const MarConfig& config, const DecodingMethod& method) {
  (void)orders().at(method.order);
  const int64_t length = config.sequence_length;
  const std::vector<int64_t> left = method.stages.empty()
                                        ? cosine_masked(length, method.cosine_steps)
                                        : stage_masked(length, method.stages);
  DecodingPlan plan{method, {}, {}};
  int64_t masked = length;
  int64_t masked_before = length;
  for (size_t s = 0; s < left.size(); ++s) {
    DecodeStep step;
    step.index = static_cast<int64_t>(s);
    step.first = s + 1 == left.size() ? 0 : std::min(left[s], masked);
    step.masked = masked;
    step.masked_before = masked_before;
    // The last step's scale still comes from the clamped 1.
    step.guidance = method.cfg_schedule == CfgSchedule::kConstant
                        ? method.cfg
                        : 1 + (method.cfg - 1) * static_cast<double>(length - left[s]) /
                                  static_cast<double>(length);
    plan.steps.push_back(step);
    masked_before = masked;
    masked = step.first;
  }
  add_head(plan);
  return plan;
}

void sort_within_steps(std::span<int64_t> order, const std::vector<DecodeStep>& steps) {
  for (const DecodeStep& step : steps) {
    std::sort(order.begin() + step.first, order.begin() + step.masked);
  }
}

std::string step_kinds(const std::vector<DecodeStep>& steps) {
  std::string kinds;
  for (const DecodeStep& step : steps) {
    kinds += step.partial() ? 'L' : 'F';
  }
  return kinds;
}

}  // namespace lazymar
