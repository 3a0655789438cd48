#include "cache/taylor_head.h"

#include <ATen/ATen.h>

#include "cache/number_option.h"
#include "diffusion/head.h"

namespace lazymar {
namespace {

constexpr NumberOption kInterval{"interval", 1, "interval=N from 1"};

int64_t interval_of(const CacheSpec& cache) {
  return kInterval.value(cache, 2);
}

/// Diffusion steps run from T - 1 down to 0.
bool computes(int64_t index, int64_t steps, int64_t interval) {
  return steps - 1 - index < 2 || index % interval == 0;
}

class TaylorHead final : public HeadRunner {
 public:
  /// Modulations are computed ahead only where every step needs them.
  explicit TaylorHead(int64_t interval)
      : interval_(interval), full_(interval == 1 ? kModulationRows : kNoneAhead) {}

  HeadOutput predict(const DiffusionHead& head, const HeadStep& step) override {
    if (!computes(step.index, step.steps, interval_)) {
      return extrapolated(step.index);
    }
    HeadOutput now = full_.predict(head, step);
    if (step.index + 1 < step.steps) {
      const auto width = static_cast<double>(at_ - step.index);
      slope_ = {(now.eps - kept_.eps) / width, (now.v - kept_.v) / width};
    }
    kept_ = now;
    at_ = step.index;
    return now;
  }

  int64_t kept_bytes() const override {
    int64_t sum = 0;
    for (const at::Tensor& kept : {kept_.eps, kept_.v, slope_.eps, slope_.v}) {
      sum += kept.defined() ? static_cast<int64_t>(kept.nbytes()) : 0;
    }
    return sum;
  }

 private:
  HeadOutput extrapolated(int64_t index) const {
    const auto steps = static_cast<double>(at_ - index);
    return {kept_.eps + slope_.eps * steps, kept_.v + slope_.v * steps};
  }

  int64_t interval_;
  FullHeadRunner full_;
  HeadOutput kept_, slope_;
  int64_t at_ = 0;  ///< the step of kept_
};

void check(const MarConfig&, const CacheSpec& cache) {
  kInterval.check(cache);
}

std::unique_ptr<HeadRunner> make_head_runner(const DecodingPlan& plan) {
  return std::make_unique<TaylorHead>(interval_of(plan.method.cache));
}

HeadWork head_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step) {
  HeadWork work{.active_blocks = config.head_depth};
  const int64_t steps = plan.head(step).steps();
  for (int64_t i = 0; i < steps; ++i) {
    work.full += computes(i, steps, interval_of(plan.method.cache)) ? 1 : 0;
  }
  return work;
}

/// eps and v of the last evaluation, and their slopes once there are two.
KeptNumbers kept(const MarConfig& config, const DecodingPlan& plan) {
  const HeadPart last = last_head_part(plan);
  const int64_t steps = plan.head_schedules[static_cast<size_t>(last.schedule)].steps();
  return {0, (steps > 1 ? 4 : 2) * last.tokens * config.token_channels};
}

}  // namespace

CachePolicy taylor_policy() {
  return {.name = "taylor1",
          .check = check,
          .partial = [](const DecodingPlan&, const DecodeStep&) { return false; },
          .make_runner = make_full_runner,
          .make_head_runner = make_head_runner,
          .work = full_work,
          .head_work = head_work,
          .kept = kept};
}

}  // namespace lazymar
