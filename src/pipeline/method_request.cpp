#include "pipeline/method_request.h"

namespace lazymar {

SamplingOptions resolve_sampling(const MethodRequest& request,
                                 const RecommendedSampling& recommended) {
  SamplingOptions sampling = request.sampling;
  sampling.cfg = request.cfg.value_or(recommended.cfg.value_or(sampling.cfg));
  sampling.cfg_schedule =
      request.cfg_schedule.value_or(recommended.cfg_schedule.value_or(sampling.cfg_schedule));
  return sampling;
}

DecodingMethod resolve_method(const MethodRequest& request,
                              const RecommendedSampling& recommended) {
  DecodingMethod method =
      method_of(resolve_sampling(request, recommended), request.lazy, request.plan);
  method.name = request.method.empty() ? method.name : request.method;
  return method;
}

DecodingMethod resolve_baseline(const MethodRequest& request,
                                const RecommendedSampling& recommended) {
  MethodRequest plain;
  plain.cfg = request.cfg;
  return resolve_method(plain, recommended);
}

}  // namespace lazymar
