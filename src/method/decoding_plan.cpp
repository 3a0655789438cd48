#include "method/decoding_plan.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "method/orders.h"
#include "method/token_schedules.h"

namespace lazymar {
namespace {

/// Stages with their tokens: the order's, where the method does not say.
std::vector<Stage> resolved_stages(const DecodingMethod& method, const TokenOrder& order) {
  std::vector<Stage> stages = method.stages;
  const auto open = [](const Stage& stage) { return stage.tokens == 0; };
  if (std::none_of(stages.begin(), stages.end(), open)) {
    return stages;
  }
  if (stages.size() != order.stages.size()) {
    throw usage_error("tokens per step: ", stages.size(), " stages, but the order ", method.order,
                      " has ", order.stages.size(), "; use as many, or stages:TOKENS/STEPS,...");
  }
  for (size_t i = 0; i < stages.size(); ++i) {
    stages[i].tokens = order.stages[i];
  }
  return stages;
}

std::vector<int64_t> masked_behind(int64_t length, const DecodingMethod& method,
                                   const std::vector<Stage>& stages) {
  if (!stages.empty()) {
    return stage_masked(length, stages);
  }
  if (method.cosine_steps < 1) {
    throw setting_error("num_iter", " ", method.cosine_steps, ": must be at least 1");
  }
  return token_schedules().at(method.schedule).masked(length, method.cosine_steps);
}

/// Numbers the stages of the tokens per step, unless they are a list of single steps.
void add_stages(DecodingPlan& plan) {
  const std::vector<Stage>& stages = plan.method.stages;
  const auto real = [](const Stage& stage) { return stage.steps > 1 || stage.tokens == 0; };
  if (std::none_of(stages.begin(), stages.end(), real)) {
    return;
  }
  auto step = plan.steps.begin();
  for (size_t i = 0; i < stages.size(); ++i) {
    for (int64_t j = 0; j < stages[i].steps; ++j, ++step) {
      step->stage = static_cast<int64_t>(i);
      step->opens_stage = i > 0 && j == 0;
    }
  }
}

/// The segments with the decoding steps at which they begin.
std::vector<HeadSegment> placed_segments(const DecodingPlan& plan) {
  std::vector<HeadSegment> head;
  for (HeadSegment segment : plan.method.head) {
    if (segment.from_stage > 0) {
      const auto first = std::find_if(
          plan.steps.begin(), plan.steps.end(),
          [&](const DecodeStep& step) { return step.stage + 1 == segment.from_stage; });
      if (first == plan.steps.end()) {
        throw usage_error("--head_steps: @stage", segment.from_stage,
                          ", but --tokens_per_step has no stage ", segment.from_stage,
                          "; give both, or neither");
      }
      segment.from_step = first->index;
    }
    if (!head.empty() && segment.from_step <= head.back().from_step) {
      throw usage_error("--head_steps: @", segment.from_step, " follows decoding step ",
                        head.back().from_step, "; let parts begin one after the other");
    }
    if (segment.from_step >= plan.count()) {
      throw usage_error("--head_steps: @", segment.from_step, ", but the last decoding step is ",
                        plan.count() - 1);
    }
    head.push_back(std::move(segment));
  }
  if (head.empty() || head.front().from_step != 0) {
    throw usage_error(
        "--head_steps: nothing says how decoding step 0 is sampled; begin with a part ",
        "without @");
  }
  return head;
}

/// The index of a process with T diffusion steps among the plan's; it is added if missing.
int64_t schedule_of(DecodingPlan& plan, HeadSegment segment, int64_t steps, NoiseKeys keys) {
  segment.steps = steps;
  HeadSchedule schedule = make_head_schedule(segment, keys);
  std::vector<HeadSchedule>& all = plan.head_schedules;
  const auto known = std::find(all.begin(), all.end(), schedule);
  const int64_t index = known - all.begin();
  if (known == all.end()) {
    all.push_back(std::move(schedule));
  }
  return index;
}

void check_detail(const HeadSegment& segment) {
  if (!(segment.detail_share >= 0 && segment.detail_share <= 1)) {
    throw usage_error("head: detail_share ", segment.detail_share, ": must be from 0 to 1");
  }
}

void add_schedules(DecodingPlan& plan, DecodeStep& step, const HeadSegment& segment, int64_t end,
                   NoiseKeys keys) {
  const int64_t from = segment.from_step;
  const bool partly = step.partial() && segment.partial_steps > 0;
  const int64_t steps =
      partly ? segment.partial_steps : annealed_steps(segment, step.index - from, end - 1 - from);
  check_detail(segment);
  step.detail = std::lround(segment.detail_share * static_cast<double>(step.predicted()));
  const bool all = step.detail > 0 && step.detail == step.predicted();
  step.head_schedule = schedule_of(plan, segment, all ? segment.detail_steps : steps, keys);
  step.detail = all ? 0 : step.detail;
  step.detail_schedule =
      step.detail > 0 ? schedule_of(plan, segment, segment.detail_steps, keys) : step.head_schedule;
}

}  // namespace

DecodingPlan full_plan(const MarConfig& config, const DecodingMethod& method) {
  const int64_t length = config.sequence_length;
  const std::vector<Stage> stages = resolved_stages(method, make_order(method.order, length));
  const std::vector<int64_t> left = masked_behind(length, method, stages);
  DecodingPlan plan{method, {}, {}};
  int64_t masked = length;
  int64_t masked_before = length;
  for (size_t s = 0; s < left.size(); ++s) {
    DecodeStep step;
    step.index = static_cast<int64_t>(s);
    step.first = s + 1 == left.size() ? 0 : std::min(left[s], masked);
    step.masked = masked;
    step.masked_before = masked_before;
    step.noise_step = stages.empty() ? step.index : 0;
    // The last step's scale still comes from the clamped 1.
    step.guidance = method.cfg_schedule == CfgSchedule::kConstant
                        ? method.cfg
                        : 1 + (method.cfg - 1) * static_cast<double>(length - left[s]) /
                                  static_cast<double>(length);
    plan.steps.push_back(step);
    masked_before = masked;
    masked = step.first;
  }
  add_stages(plan);
  add_head_schedules(plan);
  return plan;
}

void add_head_schedules(DecodingPlan& plan) {
  const std::vector<HeadSegment> head = placed_segments(plan);
  const NoiseKeys keys =
      head.size() == 1 && head.front().plain() ? NoiseKeys::kIndex : NoiseKeys::kTimestep;
  plan.head_schedules.clear();
  size_t segment = 0;
  for (DecodeStep& step : plan.steps) {
    while (segment + 1 < head.size() && head[segment + 1].from_step <= step.index) {
      ++segment;
    }
    const int64_t end = segment + 1 < head.size() ? head[segment + 1].from_step : plan.count();
    add_schedules(plan, step, head[segment], end, keys);
  }
}

std::vector<HeadPart> head_parts(const DecodeStep& step) {
  std::vector<HeadPart> parts{{step.predicted() - step.detail, step.head_schedule}};
  if (step.detail > 0) {
    parts.push_back({step.detail, step.detail_schedule});
  }
  return parts;
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
