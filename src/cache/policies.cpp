#include "cache/policies.h"

#include <algorithm>

#include "cache/lazymar_policy.h"
#include "cache/recap.h"
#include "cache/taylor_head.h"
#include "core/error.h"
#include "diffusion/head.h"
#include "diffusion/solvers.h"
#include "mar/runner.h"

namespace lazymar {
namespace {

void refuse_options(const MarConfig&, const CacheSpec& cache) {
  if (!cache.options.empty()) {
    throw usage_error("cache policy ", cache.policy, " has no option \"",
                      cache.options.begin()->first, "\": it has none; leave it out");
  }
}

CachePolicy no_cache() {
  return {.name = "none",
          .check = refuse_options,
          .partial = [](const DecodingPlan&, const DecodeStep&) { return false; },
          .make_runner = make_full_runner,
          .make_head_runner = make_full_head_runner,
          .work = full_work,
          .head_work = full_head_work,
          .kept = nothing_kept};
}

/// A temperature scales noise, so it must meet a solver that draws some.
void check_temperature(const DecodingMethod& method) {
  const std::vector<int64_t> any_timesteps{0, 500, 900};
  const auto draws_noise = [&](const HeadSegment& segment) {
    const auto steps = solvers().at(segment.solver).steps(alpha_bars_at(any_timesteps));
    return std::any_of(steps.begin(), steps.end(),
                       [](const SolverStep& step) { return step.noise != 0; });
  };
  if (method.temperature != 1 &&
      std::none_of(method.head.begin(), method.head.end(), draws_noise)) {
    throw setting_error("temperature", " ", method.temperature, " has no effect with solver ",
                        method.head.front().solver,
                        ", which draws no noise; leave it out, or use ddpm or sde-dpm++2m");
  }
}

}  // namespace

Table<CachePolicy>& cache_policies() {
  static Table<CachePolicy> table("cache policy",
                                  {no_cache(), lazymar_policy(), recap_policy(), taylor_policy()});
  return table;
}

DecodingPlan make_plan(const MarConfig& config, const DecodingMethod& method) {
  const CachePolicy& policy = cache_policies().at(method.cache.policy);
  policy.check(config, method.cache);
  check_temperature(method);
  DecodingPlan plan = full_plan(config, method);
  for (DecodeStep& step : plan.steps) {
    step.kind = policy.partial(plan, step) ? StepKind::kPartial : StepKind::kFull;
  }
  add_head_schedules(plan);
  return plan;
}

std::unique_ptr<Runner> make_full_runner(const MarConfig&, const DecodingPlan&) {
  return std::make_unique<FullRunner>();
}

std::unique_ptr<HeadRunner> make_full_head_runner(const DecodingPlan&) {
  return std::make_unique<FullHeadRunner>();
}

HeadPart last_head_part(const DecodingPlan& plan) {
  HeadPart last;
  for (const DecodeStep& step : plan.steps) {
    last = step.predicted() > 0 ? head_parts(step).back() : last;
  }
  return last;
}

StepWork full_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  StepWork work;
  work.halves = plan.halves();
  work.encoder_rows = config.rows() - step.masked;
  work.kept_rows = config.rows();
  work.first_needed = step.first;
  return work;
}

HeadWork full_head_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  return {.full = plan.head(step).steps(), .active_blocks = config.head_depth};
}

}  // namespace lazymar
