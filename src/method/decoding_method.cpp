#include "method/decoding_method.h"

namespace lazymar {

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

DecodingMethod method_of(const SamplingOptions& sampling, const std::optional<LazyOptions>& lazy) {
  DecodingMethod method;
  method.cosine_steps = sampling.num_iter;
  method.head.front().steps = sampling.num_sampling_steps;
  method.cfg = sampling.cfg;
  method.cfg_schedule = sampling.cfg_schedule;
  method.temperature = sampling.temperature;
  if (lazy) {
    method.name = "lazymar";
    method.cache = {"lazymar", lazymar_text(*lazy)};
  }
  return method;
}

}  // namespace lazymar
