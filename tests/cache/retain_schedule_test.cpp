#include "cache/retain_schedule.h"

#include <gtest/gtest.h>

#include "method/option_rows.h"
#include "support/errors.h"

namespace lazymar {
namespace {

LazyOptions with(std::string_view text) {
  LazyOptions options;
  parse_retain(text, options);
  return options;
}

/// Of MAR's cosine over so many steps.
std::vector<DecodeStep> steps(int64_t num_iter) {
  MarConfig config;
  config.sequence_length = 256;
  DecodingMethod method;
  method.cosine_steps = num_iter;
  return full_plan(config, method).steps;
}

TEST(RetainSchedule, ProgressIsTheSameAtSixtyFour) {
  const RetainSchedule published(with("published"), steps(64));
  const RetainSchedule progress(with("progress"), steps(64));
  for (int64_t step = 0; step < 64; ++step) {
    EXPECT_EQ(progress.ratio(step), published.ratio(step)) << step;
  }
  const RetainSchedule half(with("progress"), steps(32));
  EXPECT_EQ(half.ratio(9), 1.0);
  EXPECT_EQ(half.ratio(10), 0.6) << "as many tokens are known as at step 20 of 64";
  EXPECT_EQ(half.ratio(31), 0.05);
}

TEST(RetainSchedule, PublishedIsIndexedByStep) {
  const RetainSchedule schedule(with("published"), steps(32));
  EXPECT_EQ(schedule.ratio(0), 1.0);
  EXPECT_EQ(schedule.ratio(19), 1.0);
  EXPECT_EQ(schedule.ratio(20), 0.6);
  EXPECT_EQ(schedule.ratio(21), 0.5);
  EXPECT_EQ(schedule.ratio(25), 0.4);
  EXPECT_EQ(schedule.ratio(30), 0.15);
  EXPECT_EQ(schedule.ratio(35), 0.12);
  EXPECT_EQ(schedule.ratio(40), 0.05);
  EXPECT_EQ(schedule.ratio(1000), 0.05);
}

TEST(RetainSchedule, ScaledIsTheSameAtSixtyFour) {
  const RetainSchedule published(with("published"), steps(64));
  const RetainSchedule scaled(with("scaled"), steps(64));
  for (int64_t step = 0; step < 64; ++step) {
    EXPECT_EQ(scaled.ratio(step), published.ratio(step)) << step;
  }
}

TEST(RetainSchedule, ScaledStretches) {
  const RetainSchedule half(with("scaled"), steps(32));
  const RetainSchedule twice(with("scaled"), steps(128));
  const RetainSchedule published(with("published"), steps(64));
  for (int64_t step = 0; step < 32; ++step) {
    EXPECT_EQ(half.ratio(step), published.ratio(2 * step));
  }
  for (int64_t step = 0; step < 128; ++step) {
    EXPECT_EQ(twice.ratio(step), published.ratio(step / 2));
  }
  EXPECT_EQ(RetainSchedule(with("scaled"), steps(1)).ratio(0), 1.0);
}

TEST(RetainSchedule, ListsStayAtTheirLastValue) {
  const RetainSchedule schedule(with("1,0.5,0.25"), steps(64));
  EXPECT_EQ(schedule.ratio(1), 0.5);
  EXPECT_EQ(schedule.ratio(60), 0.25);
}

TEST(RetainSchedule, TextIsReadBack) {
  for (const char* text : {"published", "scaled", "1,0.5,0.25", "0.02"}) {
    EXPECT_EQ(retain_string(with(text)), text);
  }
}

TEST(RetainSchedule, OtherTextIsRefused) {
  for (const char* text : {"", "fast", "1,", ",1", "1.5", "-0.1", "nan", "1 2", "1,x"}) {
    testing::refused([&] { with(text); });
  }
}

}  // namespace
}  // namespace lazymar
