#include "method/decoding_method.h"

#include "core/error.h"
#include "method/method_text.h"

namespace lazymar {

bool HeadSegment::plain() const {
  HeadSegment same;
  same.steps = steps;
  same.to_steps = to_steps == steps ? to_steps : 0;
  same.curve = curve;
  same.partial_steps = partial_steps == steps ? partial_steps : 0;
  same.detail_steps = detail_steps;
  return *this == same;
}

int64_t DecodingMethod::steps() const {
  if (stages.empty()) {
    return cosine_steps;
  }
  int64_t sum = 0;
  for (const Stage& stage : stages) {
    sum += stage.steps;
  }
  return sum;
}

DecodingMethod method_of(const SamplingOptions& sampling, const std::optional<LazyOptions>& lazy,
                         const PlanOptions& plan) {
  DecodingMethod method;
  method.cosine_steps = sampling.num_iter;
  method.head.front().steps = sampling.num_sampling_steps;
  method.order = plan.order;
  if (!plan.tokens_per_step.empty()) {
    read_tokens_per_step(plan.tokens_per_step, method);
  }
  if (!plan.head_steps.empty()) {
    method.head = read_head_steps(plan.head_steps);
  }
  for (HeadSegment& segment : method.head) {
    segment.solver = plan.solver;
    segment.last_timestep = plan.last_timestep;
    segment.spacing = plan.spacing;
  }
  read_detail(plan.detail, method.head.back());
  if (!plan.cache.empty()) {
    method.cache = read_cache(plan.cache);
  }
  method.cfg = sampling.cfg;
  method.cfg_schedule = sampling.cfg_schedule;
  method.temperature = sampling.temperature;
  if (lazy) {
    if (!plan.cache.empty()) {
      throw usage_error("--lazy_mar and --cache ", plan.cache, " name two caches; use one");
    }
    method.name = "lazymar";
    method.cache = {"lazymar", lazymar_text(*lazy)};
  }
  return method;
}

}  // namespace lazymar
