#pragma once
/// A decoding method applied to one network: which tokens each decoding step predicts, how, and
/// what it reuses. Tokens are stored in decoding order: row j of an image is the token order[j];
/// rows [0, masked) are masked, [masked, L) known, [L, L + P) the buffer.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/network_config.h"
#include "method/decoding_method.h"
#include "method/head_schedule.h"

namespace lazymar {

/// Whether a step computes every row, or reuses what earlier steps kept.
enum class StepKind { kFull, kPartial };

/// A few integers, known before anything is computed.
struct DecodeStep {
  int64_t index = 0;            ///< s
  int64_t first = 0;            ///< rows [first, masked) are predicted in this step
  int64_t masked = 0;           ///< m, rows masked before this step
  int64_t masked_before = 0;    ///< m of the step before; rows [masked, masked_before) are new
  double guidance = 1.0;        ///< scale of classifier-free guidance
  int64_t head_schedule = 0;    ///< index into the plan's
  int64_t detail = 0;           ///< of the tokens to predict, those of the highest detail score
  int64_t detail_schedule = 0;  ///< theirs
  int64_t stage = 0;            ///< of the order or of the tokens per step, from 0
  bool opens_stage = false;     ///< the first step of a stage behind the first one
  int64_t noise_step = 0;       ///< what the noise is drawn by beside image, token and timestep
  StepKind kind = StepKind::kFull;

  int64_t predicted() const { return masked - first; }
  int64_t just_decoded() const { return masked_before - masked; }
  bool partial() const { return kind == StepKind::kPartial; }
};

/// Made once (cache/policies.h) and shared.
struct DecodingPlan {
  DecodingMethod method;
  std::vector<DecodeStep> steps;
  std::vector<HeadSchedule> head_schedules;  ///< those in use, each once

  int64_t count() const { return static_cast<int64_t>(steps.size()); }
  bool guided() const { return method.guided(); }
  int64_t halves() const { return guided() ? 2 : 1; }
  const HeadSchedule& head(const DecodeStep& step) const {
    return head_schedules[static_cast<size_t>(step.head_schedule)];
  }
};

/// Some of a step's tokens, which one process of the head samples.
struct HeadPart {
  int64_t tokens = 0;
  int64_t schedule = 0;  ///< of the plan's
};

/// The tokens of a step by process: those of the highest detail score, if any, are the last part.
std::vector<HeadPart> head_parts(const DecodeStep& step);

/// The plan with every step full: the method without its cache. Schedules and stages are those of
/// method/token_schedules.h; the last step predicts all that is left. With S > L some steps of a
/// schedule predict nothing.
///
/// Noise: the steps of a schedule keep their index as noise_step, and so share the noise of MAR's.
/// Those of stages and lists have 0: a token's noise then does not depend on when it is decoded.
///
/// Throws Error (usage) for unknown names and numbers out of range; the HeadSampler that runs a
/// solver checks its name.
DecodingPlan full_plan(const MarConfig& config, const DecodingMethod& method);

/// Gives every step its schedule; equal schedules are stored once. full_plan() does; once more if
/// steps have become partial since.
void add_head_schedules(DecodingPlan& plan);

/// Sorts each step's group of an image's order [L] by raster position, so that rows match those of
/// traces. The order within a step has no effect.
void sort_within_steps(std::span<int64_t> order, const std::vector<DecodeStep>& steps);

/// "FFFFFFLLLF": by decoding step, full or lazy (partial).
std::string step_kinds(const std::vector<DecodeStep>& steps);

}  // namespace lazymar
