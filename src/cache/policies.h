#pragma once
/// Cache policies: which decoding steps reuse what earlier ones kept, and how they are computed.

#include <memory>
#include <string_view>

#include "cache/work.h"
#include "core/network_config.h"
#include "core/table.h"
#include "method/decoding_plan.h"

namespace lazymar {

class Runner;
class HeadRunner;

/// A row of the table of cache policies. Its options are those of plan.method.cache.
struct CachePolicy {
  std::string_view name;
  /// Throws Error (usage) for options that are unknown or out of range for this network.
  void (*check)(const MarConfig& config, const CacheSpec& cache);
  /// Whether a step reuses what earlier steps kept; the others are full, and refresh it. The plan's
  /// steps are complete except for their kinds.
  bool (*partial)(const DecodingPlan& plan, const DecodeStep& step);
  /// The transformer's blocks, and the diffusion head's.
  std::unique_ptr<Runner> (*make_runner)(const MarConfig& config, const DecodingPlan& plan);
  std::unique_ptr<HeadRunner> (*make_head_runner)(const DecodingPlan& plan);
  /// What both of them execute.
  StepWork (*work)(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step);
  HeadWork (*head_work)(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step);
  /// What both of them hold.
  KeptNumbers (*kept)(const MarConfig& config, const DecodingPlan& plan);
};

/// "none", which is plain MAR, "lazymar", "recap" and "taylor1".
Table<CachePolicy>& cache_policies();

inline const CachePolicy& policy_of(const DecodingPlan& plan) {
  return cache_policies().at(plan.method.cache.policy);
}

/// The plan of a method: full_plan(), and each step's kind. Throws Error (usage), also for a
/// temperature that no solver of the method uses.
DecodingPlan make_plan(const MarConfig& config, const DecodingMethod& method);

/// Plain MAR's, for policies that change only one part.
std::unique_ptr<Runner> make_full_runner(const MarConfig& config, const DecodingPlan& plan);
std::unique_ptr<HeadRunner> make_full_head_runner(const DecodingPlan& plan);
StepWork full_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step);
HeadWork full_head_work(const MarConfig& config, const DecodingPlan& plan, const DecodeStep& step);
inline KeptNumbers nothing_kept(const MarConfig&, const DecodingPlan&) {
  return {};
}

/// Keys and values of `layers` layers of this width for one image.
inline int64_t kept_keys_values(const MarConfig& config, int64_t halves, int64_t layers,
                                int64_t width) {
  return halves * layers * config.rows() * 2 * width;
}

/// The head's process that runs last, and its tokens.
HeadPart last_head_part(const DecodingPlan& plan);

}  // namespace lazymar
