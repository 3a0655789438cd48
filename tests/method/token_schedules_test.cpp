#include "method/token_schedules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "method/decoding_plan.h"
#include "method/method_text.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

DecodingPlan plan_of(int64_t length, const std::string& tokens, const std::string& order) {
  MarConfig config;
  config.sequence_length = length;
  DecodingMethod method;
  method.order = order;
  read_tokens_per_step(tokens, method);
  return full_plan(config, method);
}

std::vector<int64_t> tokens_of(int64_t length, const std::string& tokens,
                               const std::string& order = "random") {
  std::vector<int64_t> counts;
  for (const DecodeStep& step : plan_of(length, tokens, order).steps) {
    counts.push_back(step.predicted());
  }
  return counts;
}

int64_t sum(const std::vector<int64_t>& counts) {
  int64_t total = 0;
  for (const int64_t count : counts) {
    EXPECT_GE(count, 0);
    total += count;
  }
  return total;
}

TEST(TokenSchedules, DecodeEveryTokenWhateverTheLength) {
  for (const int64_t length : {1, 2, 7, 12, 16, 63, 64, 255, 256, 400}) {
    for (const char* schedule : {"cosine:1", "cosine:64", "arccos:1", "arccos:20", "arccos:64"}) {
      EXPECT_EQ(sum(tokens_of(length, schedule)), length) << schedule;
    }
    const std::string stages = concat("stages:", length, "/5");
    EXPECT_EQ(sum(tokens_of(length, stages)), length) << stages;
  }
  for (const int64_t side : {2, 4, 7, 16, 20}) {
    EXPECT_EQ(sum(tokens_of(side * side, "stages:24,6,2", "checkerboard:3")), side * side) << side;
  }
}

TEST(TokenSchedules, StagesShareTheirTokensEqually) {
  const std::vector<int64_t> counts = tokens_of(256, "stages:24,6,2", "checkerboard:3");
  EXPECT_EQ(counts.size(), 32U);
  EXPECT_EQ(sum({counts.begin(), counts.begin() + 24}), 64);
  EXPECT_EQ(sum({counts.begin() + 24, counts.begin() + 30}), 64);
  EXPECT_EQ(counts[30], 64);
  EXPECT_EQ(counts[31], 64);
  for (size_t s = 0; s < 24; ++s) {
    EXPECT_TRUE(counts[s] == 2 || counts[s] == 3) << s;
  }
  EXPECT_EQ(tokens_of(16, "stages:8/4,8/2"), (std::vector<int64_t>{2, 2, 2, 2, 4, 4}));
  EXPECT_EQ(tokens_of(16, "list:1,1,2,12"), (std::vector<int64_t>{1, 1, 2, 12}));
}

/// int(256 (1 - arccos((i + 1) / S) / (pi / 2))), as the released loop computes it; but for the
/// last one, which is MAR's 1, the number that the guidance of its last step goes by.
TEST(TokenSchedules, ArccosIsTheReleasedOne) {
  EXPECT_EQ(token_schedules().at("arccos").masked(64, 8),
            (std::vector<int64_t>{59, 54, 49, 43, 37, 30, 21, 1}));
  EXPECT_EQ(token_schedules().at("arccos").masked(64, 20),
            (std::vector<int64_t>{62, 60, 58, 56, 54, 52, 50, 48, 45, 43,
                                  41, 38, 36, 33, 30, 27, 23, 19, 13, 1}));
  const std::vector<int64_t> counts = tokens_of(256, "arccos:64");
  EXPECT_EQ(counts[0], 2);
  EXPECT_EQ(counts[63], 29);
}

TEST(TokenSchedules, WhatDoesNotFitIsRefused) {
  const auto message = [](int64_t length, const char* tokens, const char* order) {
    return refused([&] { tokens_of(length, tokens, order); });
  };
  EXPECT_TRUE(contains(message(256, "stages:24,6,2", "random"), "3 stages, but the order random"));
  EXPECT_TRUE(contains(message(256, "stages:24,6", "checkerboard:3"), "2 stages"));
  EXPECT_TRUE(contains(message(256, "list:1,2,3", "random"), "256"));
  EXPECT_TRUE(contains(message(12, "stages:24,6,2", "checkerboard:3"), "not a square"));
}

TEST(TokenSchedules, StepsKnowTheirStage) {
  const DecodingPlan plan = plan_of(256, "stages:24,6,2", "checkerboard:3");
  for (const DecodeStep& step : plan.steps) {
    EXPECT_EQ(step.opens_stage, step.index == 24 || step.index == 30) << step.index;
    EXPECT_EQ(step.stage, step.index < 24 ? 0 : step.index < 30 ? 1 : 2);
  }
  for (const DecodeStep& step : plan_of(256, "cosine:64", "random").steps) {
    EXPECT_FALSE(step.opens_stage);
  }
}

/// So that a token's noise does not depend on the stages, nor today's on anything new.
TEST(TokenSchedules, NoiseGoesByTheStepInSchedulesAlone) {
  for (const DecodeStep& step : plan_of(256, "stages:24,6,2", "checkerboard:3").steps) {
    EXPECT_EQ(step.noise_step, 0);
  }
  for (const DecodeStep& step : plan_of(256, "cosine:32", "checkerboard:3").steps) {
    EXPECT_EQ(step.noise_step, step.index);
  }
}

TEST(TokenSchedules, TheReferenceStepIsTheStepAtSixtyFour) {
  const DecodingPlan plan = plan_of(256, "cosine:64", "random");
  for (const DecodeStep& step : plan.steps) {
    EXPECT_EQ(reference_step(256, step.masked), step.index);
  }
  EXPECT_EQ(reference_step(256, 256), 0);
  EXPECT_EQ(reference_step(256, 1), 63);
  EXPECT_EQ(reference_step(256, 181), 32) << "half of the way by the cosine";
}

}  // namespace
}  // namespace lazymar
