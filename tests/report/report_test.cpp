#include "report/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report/html.h"
#include "run/image_files.h"
#include "support/drift_folder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::contains;

/// Writes a run folder of two shards of two images of 16x16 pixels.
fs::path write_run(const fs::path& folder, uint8_t shade, bool few_files = false, int seed = 1,
                   int64_t shards = 2) {
  fs::create_directories(folder / "info/unfinished");
  const ordered_json settings = {{"model", "<b>demo</b>"},
                                 {"num_images", 4},
                                 {"eval_bsz", 2},
                                 {"seed", seed},
                                 {"few_files", few_files}};
  testing::write_text(folder / "info/manifest.json", ordered_json{{"settings", settings}}.dump());
  const ImageFiles files(folder, few_files, Durability::kNone, 0);
  Journal journal(folder / "info", 0, false);
  for (int64_t shard = 0; shard < shards; ++shard) {
    ShardRecord record;
    record.shard = shard;
    record.slots = 2;
    record.seconds.total = 4;
    record.flops = 100;
    record.steps = {{1, 40}, {0.5, 20}};
    std::vector<EncodedImage> images;
    for (int64_t id = 2 * shard; id < 2 * shard + 2; ++id) {
      std::vector<uint8_t> pixels(16 * 16 * 3, 100);
      std::fill_n(pixels.begin(), 30 * id, shade);
      images.push_back({id, encode_png(pixels, 16, 16, {{"class", std::to_string(id)}})});
    }
    record.images = files.store(shard, images, nullptr);
    journal.append(record);
  }
  return folder;
}

/// As in lazymar_eval's rows.
SettingKeys keys() {
  return {{}, {"model", "seed"}, {"model", "seed", "classes", "num_images"}, {"model"}};
}

Comparison compare_two(const fs::path& baseline, const fs::path& run) {
  Comparison comparison{{read_run(baseline), read_run(run)}, {}};
  comparison.keys = keys();
  label_runs(comparison.runs);
  comparison.paired = {pair_runs(comparison.runs[0], comparison.runs[1], keys(), true, 2)};
  return comparison;
}

TEST(Report, PairsByIdTheWorstFirst) {
  const testing::TemporaryFolder folder;
  const Comparison two = compare_two(write_run(folder.path() / "a", 0),
                                     write_run(folder.path() / "b", 200, /*few_files=*/true));
  const std::vector<Pair>& pairs = two.paired[0].pairs;
  ASSERT_EQ(pairs.size(), 4U);
  EXPECT_EQ(pairs[0].id, 3);
  EXPECT_EQ(pairs[3].id, 0);
  const PairStatistics all = statistics(pairs);
  EXPECT_EQ(all.identical, 1);
  EXPECT_NEAR(*all.psnr_median, (pairs[1].psnr + pairs[2].psnr) / 2, 1e-12);
  const ordered_json json = comparison_json(two);
  EXPECT_TRUE(json["runs"][1]["pairs"]["all"][3]["psnr"].is_null());
  EXPECT_EQ(json["runs"][1]["steps"]["flops_per_image"], (std::vector<int64_t>{20, 10}));
}

TEST(Report, EscapesWhatComesFromFiles) {
  const testing::TemporaryFolder folder;
  const std::string html = report_html(
      compare_two(write_run(folder.path() / "a", 0), write_run(folder.path() / "<i>", 200)), 4);
  EXPECT_FALSE(contains(html, "<b>demo"));
  EXPECT_FALSE(contains(html, "<i>"));
  EXPECT_TRUE(contains(html, "&lt;b&gt;demo"));
  EXPECT_TRUE(contains(html, "image 3, class 3"));
  EXPECT_EQ(escape_html("<a b='c\">&\n"), "&lt;a b=&#39;c&quot;&gt;&amp; ");
}

TEST(Report, StrangersAreRefused) {
  const testing::TemporaryFolder folder;
  const RunData one = read_run(write_run(folder.path() / "a", 0));
  const RunData other = read_run(write_run(folder.path() / "b", 0, false, /*seed=*/2));
  EXPECT_TRUE(contains(testing::refused([&] { pair_runs(one, other, keys(), true, 1); }),
                       "seed 1 there, 2 now"));
  EXPECT_TRUE(pair_runs(one, other, keys(), false, 1).pairs.empty());
}

TEST(Report, PartialAndDamagedRunsAreCompared) {
  const testing::TemporaryFolder folder;
  write_run(folder.path() / "a", 0);
  write_run(folder.path() / "b", 9, false, 1, /*shards=*/1);
  testing::write_text(folder.path() / "b/00001.png", "damaged");
  const Comparison two = compare_two(folder.path() / "a", folder.path() / "b");
  EXPECT_EQ(two.paired[0].pairs.size(), 1U);
  EXPECT_EQ(two.paired[0].left_out.size(), 1U);
  EXPECT_TRUE(contains(report_html(two, 4), "2 of 4 images exist"));
  for (const char* text : {"", "{", "[]", R"({"settings":{"num_images":0,"eval_bsz":2}})"}) {
    testing::write_text(folder.path() / "b/info/manifest.json", text);
    EXPECT_TRUE(contains(testing::refused([&] { read_run(folder.path() / "b"); }), "damaged"));
  }
  EXPECT_TRUE(contains(testing::refused([&] { read_run(folder.path()); }),
                       "holds 2 run folders: name one (a, b)"));
  EXPECT_TRUE(
      contains(testing::refused([&] { read_run(folder.path() / "a/info"); }), "not a run folder"));
}

TEST(Report, ShowsRecordedFeaturesAndTheSuggestedSchedule) {
  const testing::TemporaryFolder folder;
  Comparison two =
      compare_two(write_run(folder.path() / "a", 0), write_run(folder.path() / "b", 200));
  EXPECT_FALSE(contains(report_html(two, 0), "id=\"redundancy\""));
  EXPECT_FALSE(comparison_json(two).contains("features"));
  fs::create_directory(folder.path() / "features");
  testing::write_invented(folder.path() / "features", testing::small_header(),
                          [](int64_t from, int64_t, int64_t) { return from == 0 ? 0.25 : 0; });
  const std::vector<ImageDrift> images = read_drift(folder.path() / "features");
  two.redundancy.emplace(images);
  two.suggestion_for.warmup = 1;
  two.suggestion = suggest_retain(images, two.suggestion_for, 0.1, false);
  const std::string html = report_html(two, 0);
  EXPECT_TRUE(contains(html, "id=\"redundancy\""));
  // Masked tokens: from step 0 to the steps 1, 2 and 3 in the class of 20 to 30 %, else below 1 %.
  EXPECT_TRUE(contains(html, "<path class=\"h6\" d=\"M0 1h1v1h-1zM0 2h1v1h-1zM0 3h1v1h-1z\">"));
  EXPECT_TRUE(contains(html, "<path class=\"h0\" d=\"M1 2h1v1h-1zM1 3h2v1h-2z\">"));
  EXPECT_TRUE(contains(html, "--lazy_warmup 1 --lazy_refresh 9 --lazy_retain 1,1,0.5,0.3"));
  EXPECT_TRUE(contains(html, "features: model: "));  // it is not the runs' model
  const ordered_json json = comparison_json(two);
  EXPECT_EQ(json["suggestion"]["lazy_retain"], "1,1,0.5,0.3");
  EXPECT_EQ(json["features"]["images"], 1);
}

TEST(Report, ShowsErrorsOfPredictors) {
  const testing::TemporaryFolder folder;
  Comparison two =
      compare_two(write_run(folder.path() / "a", 0), write_run(folder.path() / "b", 200));
  EXPECT_FALSE(contains(report_html(two, 0), "id=\"replay\""));
  EXPECT_FALSE(comparison_json(two).contains("replay"));
  two.replay = {3, 2, 8, 1, {{"hold", {0.125, 0.25}, {0.5, std::nan("")}}}};
  const std::string html = report_html(two, 0);
  EXPECT_TRUE(contains(html, "id=\"replay\""));
  EXPECT_TRUE(contains(html, "<td>hold</td><td>12.5 %</td><td>25.0 %</td>"));
  EXPECT_TRUE(contains(html, "<td>hold</td><td>50.0 %</td><td>-</td>"));
  EXPECT_TRUE(contains(html, "2 images, 7 tokens; 1 more have too few diffusion steps."));
  EXPECT_EQ(comparison_json(two)["replay"]["errors"]["hold"]["mlp"][1], 0.25);
}

TEST(Report, Base64OfRfc4648) {
  const auto coded = [](std::string_view text) {
    return png_uri(std::as_bytes(std::span(text))).substr(22);
  };
  EXPECT_EQ(coded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(coded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(coded("foob"), "Zm9vYg==");
}

}  // namespace
}  // namespace lazymar
