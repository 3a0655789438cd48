#pragma once
/// The parts of a decoding method as text. Every function throws Error (usage) that begins with the
/// text and says what would do.

#include <string>
#include <vector>

#include "method/decoding_method.h"

namespace lazymar {

/// Sets the tokens of each decoding step:
///   cosine:64       MAR's cosine over 64 steps; arccos:32 likewise (method/token_schedules.h)
///   stages:24,6,2   the order's three stages in so many steps; stages:64/24,192/8 with their
///   tokens list:1,1,2,12   so many tokens, step by step
void read_tokens_per_step(const std::string& text, DecodingMethod& method);
std::string tokens_per_step_text(const DecodingMethod& method);

/// T[/PARTIAL][:LAST[:CURVE]][@START], one or more, separated by commas: T diffusion steps from
/// START on (a decoding step, or "stage2"); PARTIAL in partial decoding steps; falling to LAST by
/// the curve linear, cosine or two-stage.
std::vector<HeadSegment> read_head_steps(const std::string& text);
std::string head_steps_text(const std::vector<HeadSegment>& head);

/// SHARE:STEPS, such as 0.1:50: that share of each step's tokens takes so many diffusion steps.
/// Empty: none.
void read_detail(const std::string& text, HeadSegment& segment);

/// POLICY[:NAME=VALUE]..., such as taylor1:interval=4.
CacheSpec read_cache(const std::string& text);
std::string cache_text(const CacheSpec& cache);

}  // namespace lazymar
