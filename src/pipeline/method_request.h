#pragma once
/// What the user requests of the sampling, before the checkpoint's recommendations.

#include <optional>
#include <string>

#include "core/precision.h"
#include "method/decoding_method.h"
#include "method/lazy_options.h"
#include "method/plan_options.h"
#include "method/sampling_options.h"
#include "pipeline/model_request.h"

namespace lazymar {

/// Sampling settings, as given on a command line.
struct MethodRequest {
  std::string method;  ///< the preset that the rest began with; empty: none was named
  PlanOptions plan;
  SamplingOptions sampling;
  std::optional<double> cfg;                ///< overrides the checkpoint's recommendation
  std::optional<CfgSchedule> cfg_schedule;  ///< likewise
  std::optional<LazyOptions> lazy;          ///< set by --lazy_mar
  Precision precision;                      ///< auto by default
  /// As written on the command line, since the preset: what other texts must agree with.
  std::optional<int64_t> num_iter_given, num_sampling_steps_given;
  bool lazy_given = false;  ///< likewise: one of LazyMAR's options was written
  bool cuda_graphs = true;  ///< false: every kernel is launched separately
  bool head_blocks = true;  ///< false: so is every block of the head
};

/// The command line overrides the checkpoint's recommendation, which overrides the defaults.
SamplingOptions resolve_sampling(const MethodRequest& request,
                                 const RecommendedSampling& recommended);
/// The same with order, schedules and cache, in the form that a Generator takes. Throws Error
/// (usage).
DecodingMethod resolve_method(const MethodRequest& request, const RecommendedSampling& recommended);

/// MAR as released, with the request's guidance: what its method is compared with.
DecodingMethod resolve_baseline(const MethodRequest& request,
                                const RecommendedSampling& recommended);

}  // namespace lazymar
