#include "mar/decoding_plan.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace lazymar {

std::vector<DecodeStep> make_decoding_plan(int64_t sequence_length,
                                           const SamplingOptions& options) {
  if (options.num_iter < 1) {
    throw usage_error("--num_iter ", options.num_iter, ": must be at least 1");
  }
  const auto length = static_cast<double>(sequence_length);
  std::vector<DecodeStep> plan;
  int64_t masked = sequence_length;
  int64_t masked_before = sequence_length;
  for (int64_t s = 0; s < options.num_iter; ++s) {
    const double ratio = std::cos(std::numbers::pi / 2. * static_cast<double>(s + 1) /
                                  static_cast<double>(options.num_iter));
    const auto wanted = static_cast<int64_t>(std::floor(length * ratio));
    const int64_t next = std::max<int64_t>(1, std::min(masked - 1, wanted));
    DecodeStep step;
    step.index = s;
    step.first = s + 1 == options.num_iter ? 0 : std::min(next, masked);
    step.masked = masked;
    step.masked_before = masked_before;
    // The last step's scale still comes from the clamped 1.
    step.guidance =
        options.cfg_schedule == CfgSchedule::kConstant
            ? options.cfg
            : 1 + (options.cfg - 1) * static_cast<double>(sequence_length - next) / length;
    plan.push_back(step);
    masked_before = masked;
    masked = step.first;
  }
  return plan;
}

void sort_within_steps(at::Tensor& orders, const std::vector<DecodeStep>& plan) {
  for (int64_t image = 0; image < orders.size(0); ++image) {
    auto* row = orders[image].mutable_data_ptr<int64_t>();
    for (const DecodeStep& step : plan) {
      std::sort(row + step.first, row + step.masked);
    }
  }
}

}  // namespace lazymar
