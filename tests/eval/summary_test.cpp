#include "lazymar/eval/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"

namespace lazymar {
namespace {

BlockRecord block(double seconds, int64_t images = 4) {
  BlockRecord record;
  record.images = images;
  record.slots = 4;
  record.seconds.total = seconds;
  record.seconds.head = seconds / 2;
  record.work = {400, 40, 20};
  return record;
}

RunSummary three_blocks() {
  RunSummary summary;
  summary.baseline_rows = {0, 20, 50};
  summary.wall_seconds = 50;
  summary.blocks = {block(40), block(8), block(4), block(6), block(100, 1)};
  return summary;
}

TEST(Summary, MedianOfFullBlocksAfterTheFirst) {
  RunSummary summary = three_blocks();
  EXPECT_DOUBLE_EQ(seconds_per_image(summary), 1.5);
  summary.blocks.pop_back();
  summary.blocks.pop_back();
  EXPECT_DOUBLE_EQ(seconds_per_image(summary), 1.5);
  summary.blocks.resize(1);
  EXPECT_DOUBLE_EQ(seconds_per_image(summary), 10.0);
  summary.blocks.clear();
  EXPECT_DOUBLE_EQ(seconds_per_image(summary), 0.0);
}

TEST(Summary, JsonHoldsWhatScriptsRead) {
  RunSummary summary = three_blocks();
  summary.complete = true;
  summary.lazy.emplace();
  summary.mar_hash = "abc";
  const auto json = nlohmann::json::parse(summary_json(summary));
  EXPECT_EQ(json.at("complete"), true);
  EXPECT_EQ(json.at("images"), 17);
  EXPECT_DOUBLE_EQ(json.at("seconds_per_image"), 1.5);
  EXPECT_DOUBLE_EQ(json.at("images_per_second"), 17.0 / 50);
  EXPECT_DOUBLE_EQ(json.at("stages").at("head"), 0.75);
  for (const char* stage : {"encoder", "decoder", "head", "vae", "png"}) {
    EXPECT_TRUE(json.at("stages").contains(stage)) << stage;
  }
  EXPECT_EQ(json.at("flops_per_image"), 100);
  EXPECT_EQ(json.at("rows_per_image").at("transformer").at("computed"), 10);
  EXPECT_EQ(json.at("rows_per_image").at("transformer").at("total"), 20);
  EXPECT_GT(json.at("peak_rss_bytes"), 0);
  EXPECT_EQ(json.at("settings").at("lazy_mar").at("warmup"), 5);
  EXPECT_EQ(json.at("weights_sha256").at("mar"), "abc");
  EXPECT_TRUE(json.at("weights_sha256").at("vae").is_null());
  summary.lazy.reset();
  EXPECT_TRUE(nlohmann::json::parse(summary_json(summary)).at("settings").at("lazy_mar").is_null());
}

TEST(Summary, TextTellsLatencyAndSavings) {
  RunSummary summary = three_blocks();
  summary.lazy_steps = 52;
  const std::string text = summary_text(summary);
  EXPECT_TRUE(testing::contains(text, "1.5000 seconds per image"));
  EXPECT_TRUE(testing::contains(text, "12 full and 52 lazy"));
  EXPECT_TRUE(testing::contains(text, "50.0 % of the transformer's"));
  EXPECT_TRUE(testing::contains(text, "10.0 % of the head's"));
}

}  // namespace
}  // namespace lazymar
