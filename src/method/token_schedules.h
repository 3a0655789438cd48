#pragma once
/// Token schedules: how many tokens each decoding step decodes.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/table.h"
#include "method/decoding_method.h"

namespace lazymar {

/// A row of the table of token schedules.
struct TokenSchedule {
  std::string_view name;
  /// Tokens that are still masked behind each of the steps; guidance is scaled by L minus these.
  std::vector<int64_t> (*masked)(int64_t length, int64_t steps);
};

/// "cosine": MAR's, max(1, min(m - 1, floor(L cos(pi/2 (s+1)/S)))) (models/mar.py of github
/// LTH14/mar). Its last value stays 1, though the last step leaves nothing masked.
///
/// "arccos": Halton-MaskGIT's, L - max(s + 1, int(L (1 - arccos((s+1)/S) / (pi/2)))) in fp32, as
/// released (Sampler/halton_sampler.py of github valeoai/Halton-MaskGIT@f61b0a1). Its last value is
/// 1, too.
Table<TokenSchedule>& token_schedules();

/// The same for stages that share their tokens equally: step j of a stage of n tokens and k steps
/// leaves n - floor(n (j + 1) / k) of them masked. Throws Error (usage) unless the stages' tokens
/// add up to `length`.
std::vector<int64_t> stage_masked(int64_t length, const std::vector<Stage>& stages);

/// The step of MAR's 64-step cosine at which `masked` of `length` tokens are masked: the last one
/// that begins with at least as many. What is published by step for 64 steps goes by it in other
/// schedules.
int64_t reference_step(int64_t length, int64_t masked);

}  // namespace lazymar
