#include "lazymar/eval/run_folder.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

ResolvedSettings usual() {
  return {SamplingOptions{}, 8};
}

TEST(SettingsName, DefaultsAreNotNamed) {
  EvalOptions options;
  EXPECT_EQ(settings_name(options, usual(), usual()), "iter64_baseline");
  options.lazy.emplace();
  EXPECT_EQ(settings_name(options, usual(), usual()), "iter64_lazy");
}

TEST(SettingsName, EverySettingThatDiffersIsNamed) {
  std::set<std::string> names;
  const auto add = [&](auto change) {
    EvalOptions options;
    options.lazy.emplace();
    ResolvedSettings resolved = usual();
    change(options, resolved);
    names.insert(settings_name(options, resolved, usual()));
  };
  using O = EvalOptions;
  using R = ResolvedSettings;
  add([](O&, R&) {});
  add([](O& o, R&) { o.lazy.reset(); });
  add([](O&, R& r) { r.sampling.num_iter = 32; });
  add([](O&, R& r) { r.sampling.cfg = 2; });
  add([](O&, R& r) { r.sampling.cfg_schedule = CfgSchedule::kConstant; });
  add([](O&, R& r) { r.sampling.num_sampling_steps = 50; });
  add([](O&, R& r) { r.sampling.temperature = 0.9; });
  add([](O&, R& r) { r.eval_bsz = 16; });
  add([](O& o, R&) { o.num_images = 64; });
  add([](O& o, R&) { o.classes = {1, 2}; });
  add([](O& o, R&) { o.classes = {12}; });
  add([](O& o, R&) { o.model.seed = 7; });
  add([](O& o, R&) { o.precision = Precision::kFp64; });
  add([](O& o, R&) { o.model.random_weights = true; });
  add([](O& o, R&) { o.model.resume = "a/b"; });
  add([](O& o, R&) { o.model.vae_path = "a/b"; });
  add([](O& o, R&) { o.lazy->token = false; });
  add([](O& o, R&) { o.lazy->condition = false; });
  add([](O& o, R&) { o.lazy->head = false; });
  add([](O& o, R&) { o.lazy->warmup = 1; });
  add([](O& o, R&) { o.lazy->refresh = 1; });
  add([](O& o, R&) { o.lazy->prune_layer = 1; });
  add([](O& o, R&) { o.lazy->extra = 1; });
  add([](O& o, R&) { o.lazy->head_refresh = 1; });
  add([](O& o, R&) { o.lazy->retain = RetainKind::kPublished; });
  add([](O& o, R&) { o.lazy->condition_scale = 0; });
  EXPECT_EQ(names.size(), 26U);
}

TEST(SettingsName, IsOneFolderNameOfBoundedLength) {
  EvalOptions options;
  options.model.resume = "some/where/with a space:and,more";
  options.classes.assign(1000, 123);
  const std::string name = settings_name(options, usual(), usual());
  EXPECT_EQ(name.find('/'), std::string::npos);
  EXPECT_LT(name.size(), 255U);
}

TEST(RunFolder, WritesNumberedImages) {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.path() / "a/b", false);
  const std::vector<std::byte> png(3, std::byte{65});
  folder.write_image(7, png);
  folder.write_image(123456, png);
  EXPECT_EQ(testing::read_text(folder.path() / "00007.png"), "AAA");
  EXPECT_TRUE(fs::exists(folder.path() / "123456.png"));
  EXPECT_TRUE(fs::is_directory(folder.info()));
}

TEST(RunFolder, KeepsAnEarlierRunUnlessToldOtherwise) {
  const TemporaryFolder temporary;
  const std::vector<std::byte> png(3);
  RunFolder(temporary.path(), false).write_image(1, png);
  testing::write_text(temporary.path() / "notes.txt", "mine");
  testing::write_text(temporary.path() / "info/summary.json", "{}");
  EXPECT_TRUE(contains(refused([&] { RunFolder(temporary.path(), false); }), "--overwrite"));
  const RunFolder again(temporary.path(), true);
  EXPECT_FALSE(fs::exists(temporary.path() / "00001.png"));
  EXPECT_FALSE(fs::exists(again.info() / "summary.json"));
  EXPECT_TRUE(fs::exists(temporary.path() / "notes.txt"));
}

TEST(RunFolder, WhatCannotBeAFolderIsRefused) {
  const TemporaryFolder temporary;
  testing::write_text(temporary.path() / "file", "");
  EXPECT_TRUE(
      contains(refused([&] { RunFolder(temporary.path() / "file/x", false); }), "--output_dir"));
}

}  // namespace
}  // namespace lazymar
