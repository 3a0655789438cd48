#include "lazymar/eval/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/errors.h"

namespace lazymar {
namespace {

/// A block of 4 slots that began at `start` and took `seconds`, with `images` kept.
BlockRecord block(double start, double seconds, size_t images = 4) {
  BlockRecord record;
  record.launch = "one";
  record.images.resize(images);
  record.slots = 4;
  record.seconds.total = seconds;
  record.seconds.head = seconds / 2;
  record.png_seconds = 1;
  record.finished = start + seconds + record.png_seconds;
  record.flops = 400;
  record.block_rows = 40;
  record.head_rows = 20;
  return record;
}

RunSummary some_blocks() {
  RunSummary summary;
  summary.lazy_steps.assign(64, false);
  summary.baseline_rows = {0, 20, 50};
  summary.settings = {{"lazy_mar", {{"warmup", 5}}}, {"device", "a kind of CPU"}};
  summary.device = "cpu";
  summary.blocks = {block(0, 40), block(41, 8), block(50, 4), block(55, 6), block(62, 100, 1)};
  summary.blocks[0].first = true;
  return summary;
}

TEST(Summary, JsonHoldsWhatScriptsRead) {
  RunSummary summary = some_blocks();
  summary.checked = true;
  summary.lazy_steps[1] = true;
  const auto json = nlohmann::json::parse(summary_json(summary));
  EXPECT_EQ(json.at("complete"), true);
  EXPECT_EQ(json.at("images"), 17);
  EXPECT_DOUBLE_EQ(json.at("seconds_per_image"), 1.5);
  EXPECT_DOUBLE_EQ(json.at("images_per_second"), 17.0 / 163);
  EXPECT_DOUBLE_EQ(json.at("stages").at("head"), 0.75);
  for (const char* stage : {"encoder", "decoder", "head", "vae", "png"}) {
    EXPECT_TRUE(json.at("stages").contains(stage)) << stage;
  }
  EXPECT_EQ(json.at("flops_per_image"), 100);
  EXPECT_EQ(json.at("rows_per_image").at("transformer").at("computed"), 10);
  EXPECT_EQ(json.at("rows_per_image").at("transformer").at("total"), 20);
  EXPECT_EQ(json.at("steps").at("full"), 63);
  EXPECT_EQ(json.at("steps").at("lazy"), 1);
  EXPECT_EQ(json.at("steps").at("kinds"), "F" + std::string("L") + std::string(62, 'F'));
  EXPECT_GT(json.at("peak_rss_bytes"), 0);
  EXPECT_EQ(json.at("settings").at("lazy_mar").at("warmup"), 5);
  EXPECT_EQ(json.at("settings").at("device"), "cpu");
  EXPECT_TRUE(json.at("weights_sha256").is_null());
  summary.failed = {4};
  EXPECT_EQ(nlohmann::json::parse(summary_json(summary)).at("complete"), false);
}

TEST(Summary, TextTellsLatencyAndSavings) {
  RunSummary summary = some_blocks();
  std::fill_n(summary.lazy_steps.begin() + 12, 52, true);
  const std::string text = summary_text(summary);
  EXPECT_TRUE(testing::contains(text, "1.5000 seconds per image"));
  EXPECT_TRUE(testing::contains(text, "12 full and 52 lazy"));
  EXPECT_TRUE(testing::contains(text, "50.0 % of the transformer's"));
  EXPECT_TRUE(testing::contains(text, "10.0 % of the head's"));
}

}  // namespace
}  // namespace lazymar
