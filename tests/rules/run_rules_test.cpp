#include "rules/run_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/png.h"
#include "report/comparison.h"
#include "report/report.h"
#include "run/image_files.h"
#include "run/journal.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::contains;

constexpr int64_t kImages = 6;

/// Differences from a run whose images are all equal and keep the rule.
struct Changes {
  std::vector<int64_t> broken{};      ///< ids of images that lack a square
  std::vector<int64_t> recoloured{};  ///< ids of images in a different colour
  std::string model = "rules";
  int64_t side = kRuleSide;
};

bool has(const std::vector<int64_t>& ids, int64_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// Vertical stripes of 10 pixels.
EncodedImage stripes(int64_t id, const Changes& changes) {
  const uint8_t green = has(changes.recoloured, id) ? 250 : 90;
  std::vector<uint8_t> rgb;
  for (int64_t row = 0; row < changes.side; ++row) {
    for (int64_t column = 0; column < changes.side; ++column) {
      const bool missing = has(changes.broken, id) && row < 8 && column < 8;
      const bool figure = column / 10 % 2 == 0 && !missing;
      rgb.insert(rgb.end(), {static_cast<uint8_t>(figure ? 20 : 250), green, 200});
    }
  }
  return {id, encode_png(rgb, changes.side, changes.side, {})};
}

/// A run of only stripes: class 1 in the manifest.
fs::path write_run(const fs::path& folder, const Changes& changes) {
  fs::create_directories(folder / "info/unfinished");
  const ordered_json settings = {
      {"model", changes.model}, {"classes", {1}}, {"num_images", kImages},
      {"eval_bsz", kImages},    {"seed", 1},      {"few_files", false}};
  testing::write_text(folder / "info/manifest.json", ordered_json{{"settings", settings}}.dump());
  std::vector<EncodedImage> images;
  for (int64_t id = 0; id < kImages; ++id) {
    images.push_back(stripes(id, changes));
  }
  ShardRecord record;
  record.slots = kImages;
  record.images = ImageFiles(folder, false, Durability::kNone, 0).store(0, images, nullptr);
  Journal(folder / "info", 0, false).append(record);
  return folder;
}

TEST(RunRules, CountsPassesByTheManifestsClasses) {
  const testing::TemporaryFolder folder;
  const RunRules rules = check_run(read_run(write_run(folder.path() / "a", {{2, 3}})), 2);
  ASSERT_EQ(rules.images.size(), static_cast<size_t>(kImages));
  EXPECT_TRUE(rules.find(0)->check.pass);
  EXPECT_FALSE(rules.find(2)->check.pass);
  EXPECT_EQ(rules.find(kImages), nullptr);
  EXPECT_EQ(rules.count(1).passes, 4);
  EXPECT_EQ(rules.count(1).images, kImages);
  EXPECT_EQ(rules.count(0).images, 0);
  EXPECT_EQ(rules.count().passes, 4);
}

TEST(RunRules, PairsImagesOfTwoRuns) {
  const testing::TemporaryFolder folder;
  const RunRules one = check_run(read_run(write_run(folder.path() / "a", {{5}})), 1);
  const RunRules other = check_run(read_run(write_run(folder.path() / "b", {{0, 1, 5}})), 1);
  const RulePairs pairs = pair_rules(one, other);
  EXPECT_EQ(pairs.both, 3);
  EXPECT_EQ(pairs.only_baseline, 2);
  EXPECT_EQ(pairs.only_run, 0);
  EXPECT_EQ(pairs.neither, 1);
  EXPECT_EQ(pairs.probability(), 0.5);
  EXPECT_TRUE(breaks_rule(one, other, 0));
  EXPECT_FALSE(breaks_rule(other, one, 0));
  EXPECT_FALSE(breaks_rule(one, other, 5));
  EXPECT_TRUE(contains(rules_text({one, other}), "passes in run 0 alone 2, here alone 0"));
  const ordered_json json = rules_json(other, &one);
  EXPECT_EQ(json["classes"]["stripes"]["passes"], 3);
  EXPECT_EQ(json["failed"].size(), 3U);
  EXPECT_EQ(json["against"]["only_baseline_passes"], 2);
}

TEST(RunRules, KnowsWhichRunsHaveThem) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(has_rules(read_run(write_run(folder.path() / "a", {}))));
  EXPECT_FALSE(has_rules(read_run(write_run(folder.path() / "b", {{}, {}, "demo"}))));
}

TEST(RunRules, RefusesImagesOfAnotherSize) {
  const testing::TemporaryFolder folder;
  const RunData run = read_run(write_run(folder.path() / "a", {{}, {}, "rules", 32}));
  EXPECT_TRUE(contains(testing::refused([&] { check_run(run, 1); }), "32x32"));
}

TEST(RunRules, ComparisonsPutPairsFirstThatTheRunBreaks) {
  const testing::TemporaryFolder folder;
  Comparison comparison;
  comparison.runs = {read_run(write_run(folder.path() / "a", {{1}})),
                     read_run(write_run(folder.path() / "b", {{1, 2}, {4}}))};
  comparison.paired = {pair_runs(comparison.runs[0], comparison.runs[1], {}, true, 1)};
  EXPECT_EQ(comparison.paired[0].pairs.front().id, 4);  // by PSNR only
  check_rules(comparison, 1);
  EXPECT_EQ(comparison.paired[0].pairs.front().id, 2);
  EXPECT_EQ(comparison.paired[0].pairs[1].id, 4);
  EXPECT_TRUE(
      contains(report_html(comparison, 1), "keeps its rule in the baseline, breaks it here"));
  EXPECT_TRUE(contains(comparison_text(comparison), "McNemar"));
  EXPECT_EQ(comparison_json(comparison)["runs"][1]["rules"]["against"]["only_baseline_passes"], 1);
}

TEST(RunRules, ComparisonsOfOtherModelsHaveNone) {
  const testing::TemporaryFolder folder;
  Comparison comparison;
  comparison.runs = {read_run(write_run(folder.path() / "a", {})),
                     read_run(write_run(folder.path() / "b", {{}, {}, "demo"}))};
  check_rules(comparison, 1);
  EXPECT_TRUE(comparison.rules.empty());
}

}  // namespace
}  // namespace lazymar
