#include "generate/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/shard_records.h"

namespace lazymar {
namespace {

RunSummary summary_of_shards() {
  RunSummary summary;
  summary.step_kinds.assign(64, 'F');
  summary.baseline_rows = {0, 20, 50};
  summary.settings = {{"lazy_mar", {{"warmup", 5}}}, {"device", "a kind of CPU"}};
  summary.device = "cpu";
  summary.shards = testing::some_shards();
  return summary;
}

TEST(Summary, JsonHoldsWhatScriptsRead) {
  RunSummary summary = summary_of_shards();
  summary.checked = true;
  summary.step_kinds[1] = 'L';
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
  RunSummary summary = summary_of_shards();
  std::fill_n(summary.step_kinds.begin() + 12, 52, 'L');
  const std::string text = summary_text(summary);
  EXPECT_TRUE(testing::contains(text, "1.5000 seconds per image"));
  EXPECT_TRUE(testing::contains(text, "12 full and 52 lazy"));
  EXPECT_TRUE(testing::contains(text, "50.0 % of the transformer's"));
  EXPECT_TRUE(testing::contains(text, "10.0 % of the head's"));
}

}  // namespace
}  // namespace lazymar
