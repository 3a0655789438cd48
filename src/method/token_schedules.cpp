#include "method/token_schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace lazymar {
namespace {

constexpr int64_t kReferenceSteps = 64;

std::vector<int64_t> cosine_masked(int64_t length, int64_t steps) {
  std::vector<int64_t> masked;
  int64_t before = length;
  for (int64_t s = 0; s < steps; ++s) {
    const double ratio =
        std::cos(std::numbers::pi / 2. * static_cast<double>(s + 1) / static_cast<double>(steps));
    const auto wanted = static_cast<int64_t>(std::floor(static_cast<double>(length) * ratio));
    masked.push_back(std::max<int64_t>(1, std::min(before - 1, wanted)));
    before = std::min(masked.back(), before);
  }
  return masked;
}

std::vector<int64_t> arccos_masked(int64_t length, int64_t steps) {
  std::vector<int64_t> masked;
  for (int64_t s = 0; s < steps; ++s) {
    const auto share = static_cast<float>(static_cast<double>(s + 1) / static_cast<double>(steps));
    const float known = 1.0F - std::acos(share) / static_cast<float>(std::numbers::pi * 0.5);
    const auto count = static_cast<int64_t>(known * static_cast<float>(length));
    masked.push_back(length - std::min(length, std::max(s + 1, count)));
  }
  masked.back() = 1;  // as MAR's loop has it, whose guidance depends on it
  return masked;
}

}  // namespace

Table<TokenSchedule>& token_schedules() {
  static Table<TokenSchedule> table("token schedule",
                                    {{"cosine", cosine_masked}, {"arccos", arccos_masked}});
  return table;
}

std::vector<int64_t> stage_masked(int64_t length, const std::vector<Stage>& stages) {
  std::vector<int64_t> masked;
  int64_t left = length;
  for (const Stage& stage : stages) {
    if (stage.tokens < 1 || stage.steps < 1) {
      throw usage_error("stages: ", stage.tokens, " tokens in ", stage.steps,
                        " steps: use at least 1 of each");
    }
    for (int64_t j = 0; j < stage.steps; ++j) {
      masked.push_back(std::max<int64_t>(1, left - stage.tokens * (j + 1) / stage.steps));
    }
    left -= stage.tokens;
  }
  if (left != 0) {
    throw usage_error("--tokens_per_step: its numbers add up to ", length - left,
                      " tokens; use as many as an image has, ", length);
  }
  return masked;
}

int64_t reference_step(int64_t length, int64_t masked) {
  const std::vector<int64_t> behind = cosine_masked(length, kReferenceSteps);
  int64_t step = 0;
  while (step + 1 < kReferenceSteps && behind[static_cast<size_t>(step)] >= masked) {
    ++step;
  }
  return step;
}

}  // namespace lazymar
