// A run folder from a stranger.
#include "run/checked_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <limits>

#include "files/text_file.h"
#include "run/heartbeat.h"
#include "run/run_data.h"
#include "run/run_folder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;
using testing::write_text;

/// A run folder of a few files, and a folder outside of it.
struct Places {
  TemporaryFolder all;
  fs::path run = all.path() / "run";
  fs::path outside = all.path() / "outside";

  Places() {
    for (const char* name : {"claims", "ranks", "features"}) {
      fs::create_directories(run / "info" / name);
    }
    fs::create_directories(outside);
    write_text(outside / "file", "mine");
    write_text(run / "00000.png", "x");
    write_text(run / "info/manifest.json", "{}");
    write_text(run / "info/journal.0.jsonl", "\n");
  }
};

TEST(RunFiles, FilesAndFoldersAreFine) {
  const Places places;
  EXPECT_NO_THROW(check_run_files(places.run));
  EXPECT_NO_THROW(check_run_files(places.all.path() / "missing"));
  // A link that is no part of the run is not followed, and the folder itself may be one.
  fs::create_symlink(places.outside / "file", places.run / "notes.txt");
  fs::create_symlink(places.run, places.all.path() / "link");
  EXPECT_NO_THROW(check_run_files(places.all.path() / "link"));
}

TEST(RunFiles, LinksAndPipesAreRefused) {
  for (const char* name : {"00001.png", "block-00000.tar", "info/summary.json",
                           "info/journal.1.jsonl", "info/lazymar_eval.0.log", "info/claims/3",
                           "info/ranks/0.json", "info/features/a.safetensors", "info/unfinished"}) {
    const Places places;
    fs::create_symlink(places.outside / "file", places.run / name);
    EXPECT_TRUE(contains(refused([&] { check_run_files(places.run); }), "is a symbolic link"))
        << name;
    fs::remove(places.run / name);
    ASSERT_EQ(::mkfifo((places.run / name).c_str(), 0666), 0);
    EXPECT_TRUE(
        contains(refused([&] { check_run_files(places.run); }), "is neither a file nor a folder"))
        << name;
    fs::remove(places.run / name);
    EXPECT_NO_THROW(check_run_files(places.run));  // the control
  }
  const Places places;
  fs::remove_all(places.run / "info");
  fs::create_symlink(places.outside, places.run / "info");
  EXPECT_TRUE(contains(refused([&] { check_run_files(places.run); }), "info: is a symbolic link"));
}

TEST(RunFiles, HugeFilesAreRefusedBeforeTheyAreRead) {
  for (const char* name : {"info/manifest.json", "info/journal.0.jsonl", "info/claims/3"}) {
    const Places places;
    write_text(places.run / name, "{}");
    fs::resize_file(places.run / name, uintmax_t{1} << 40);  // a hole: it takes no space
    EXPECT_TRUE(contains(refused([&] { check_run_files(places.run); }), "more than any run writes"))
        << name;
    EXPECT_FALSE(read_run_object(places.run / name));
  }
  const Places places;  // the control: what is never read whole may be large
  write_text(places.run / "info/features/a.safetensors", "x");
  fs::resize_file(places.run / "info/features/a.safetensors", uintmax_t{1} << 40);
  EXPECT_NO_THROW(check_run_files(places.run));
}

TEST(RunFiles, OnlyRegularFilesAreRead) {
  const Places places;
  EXPECT_EQ(read_regular_file(places.outside / "file", 4), "mine");
  EXPECT_FALSE(read_regular_file(places.outside / "file", 3));
  EXPECT_FALSE(read_regular_file("/dev/zero", 1 << 20));
  EXPECT_FALSE(read_regular_file(places.outside, 1 << 20));
  fs::create_symlink(places.outside / "file", places.run / "link");
  EXPECT_FALSE(read_regular_file(places.run / "link", 4));
  ASSERT_EQ(::mkfifo((places.run / "pipe").c_str(), 0666), 0);
  EXPECT_FALSE(read_regular_file(places.run / "pipe", 4));  // and does not wait for a writer
}

TEST(RunFiles, AManifestHasTheShapeOfOne) {
  EXPECT_TRUE(parse_manifest(R"({"settings": {"model": "demo", "classes": [1]}, "launch": "a"})"));
  for (const char* text :
       {"", "[]", "{}", R"({"settings": "x"})", R"({"settings": []})", R"({"settings": null})",
        R"({"settings": {"model": 5}})", R"({"settings": {"classes": 5}})",
        R"({"settings": {"classes": [-1]}})", R"({"settings": {"classes": [1.5]}})",
        R"({"settings": {"few_files": "yes"}})", R"({"settings": {"kernels": 1}})",
        R"({"settings": {"lazy_mar": 1}})", R"({"settings": {}, "launch": 1})",
        R"({"settings": {}, "weights_sha256": "x"})", R"({"settings": {"a": 1, "a": 2}})"}) {
    EXPECT_FALSE(parse_manifest(text)) << text;
  }
}

TEST(RunFiles, DepthIsBounded) {
  const auto nested = [](size_t depth) {
    return R"({"settings": {"a": )" + std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  EXPECT_TRUE(parse_manifest(nested(30)));  // the control
  EXPECT_FALSE(parse_manifest(nested(31)));
  EXPECT_FALSE(parse_manifest(nested(1'000'000)));  // comparing it would exhaust the stack
}

TEST(RunFiles, NumbersAreIntegersInRange) {
  const nlohmann::ordered_json object = {{"one", 1},
                                         {"real", 1.0},
                                         {"negative", -1},
                                         {"huge", std::numeric_limits<uint64_t>::max()},
                                         {"text", "1"}};
  EXPECT_EQ(integer_in(object, "one", 0, 5), 1);
  EXPECT_EQ(integer_in(object, "negative", -5, 5), -1);
  for (const char* key : {"real", "negative", "huge", "text", "missing"}) {
    EXPECT_FALSE(integer_in(object, key, 0, std::numeric_limits<int64_t>::max())) << key;
  }
}

TEST(RunFiles, AProcessWithImpossibleNumbersIsNone) {
  const auto member = [](const std::string& rank, const std::string& size) {
    return parse_member(R"({"rank": )" + rank + R"(, "process": "1 2 a b", "launch": "l",)" +
                        R"("state": "open", "size": )" + size + "}");
  };
  ASSERT_TRUE(member("3", "4"));
  EXPECT_EQ(member("3", "4")->rank, 3);
  EXPECT_FALSE(member("-1", "4"));
  EXPECT_FALSE(member("3", "4611686018427387904"));  // ranks were counted up from it
  EXPECT_FALSE(member("3.5", "4"));
  EXPECT_FALSE(member("\"3\"", "4"));
}

TEST(RunFiles, AnEmptyObjectDiffersInEveryKey) {
  EXPECT_EQ(differences(nlohmann::ordered_json::object(), {{"seed", 1}}),
            "seed absent there, 1 now");
  EXPECT_EQ(differences(nlohmann::ordered_json::object(), nlohmann::ordered_json::object()), "");
}

TEST(RunFiles, ASummaryOfTheWrongShapeSaysNothing) {
  for (const char* text :
       {"[]", R"({"steps": 1})", R"({"steps": {"kinds": 1}})", R"({"settings": {"device": 1}})",
        R"({"rows_per_image": {"transformer": {"total": 1e300}, "head": {"total": 1}}})"}) {
    RunData run;
    add_summary(text, run);
    EXPECT_TRUE(run.step_kinds.empty() && !run.total_rows && !run.on_gpu) << text;
    EXPECT_FALSE(parse_scores(text).fid) << text;
  }
  RunData run;  // the control
  add_summary(R"({"steps": {"kinds": "FL"}, "settings": {"device": "cuda:0"},
                  "rows_per_image": {"transformer": {"total": 2}, "head": {"total": 1}}})",
              run);
  EXPECT_TRUE(run.step_kinds == "FL" && run.total_rows && run.on_gpu);
}

LauncherEnv env(const std::string& launch = "one") {
  LauncherEnv env;
  env.launcher = Launcher::kOwn;
  env.launch = launch;
  return env;
}

nlohmann::ordered_json settings() {
  return {{"seed", 1}};
}

RunFolderRequest request(const TemporaryFolder& folder, bool overwrite = false) {
  return {folder.path() / "a/b", overwrite, 10, 0.4};
}

TEST(StrangersFolder, OverwriteDeletesOnlyRuns) {
  const TemporaryFolder folder;
  const fs::path path = request(folder).path;
  const auto message = [&] {
    return refused([&] { RunFolder(request(folder, true), env(), settings()); });
  };
  fs::create_directories(path / "info");
  write_text(path / "00003.png", "mine");
  write_text(path / "info/notes", "mine");
  EXPECT_TRUE(contains(message(), "00003.png belongs to a run without a manifest"));
  EXPECT_TRUE(fs::exists(path / "00003.png") && fs::exists(path / "info/notes"));
  // The controls: a run whose manifest is damaged, and one that has lost it.
  write_text(path / "info/manifest.json", "{\"settings\"");
  (void)RunFolder(request(folder, true), env("one"), settings());
  EXPECT_FALSE(fs::exists(path / "00003.png") || fs::exists(path / "info/notes"));
  write_text(path / "00003.png", "x");
  fs::rename(path / "info/manifest.json", path / "info/journal.0.jsonl");
  (void)RunFolder(request(folder, true), env("two"), settings());
  EXPECT_FALSE(fs::exists(path / "00003.png"));
}

TEST(StrangersFolder, OverwriteDoesNotFollowLinks) {
  const TemporaryFolder folder;
  const fs::path outside = folder.path() / "outside";
  (void)RunFolder(request(folder), env(), settings());
  fs::rename(request(folder).path / "info", outside);
  fs::create_symlink(outside, request(folder).path / "info");
  for (const bool overwrite : {true, false}) {
    EXPECT_TRUE(
        contains(refused([&] { RunFolder(request(folder, overwrite), env("two"), settings()); }),
                 "is a symbolic link"));
  }
  EXPECT_TRUE(fs::exists(outside / "manifest.json"));
}

TEST(StrangersFolder, OfADamagedManifestIsRefused) {
  const TemporaryFolder folder;
  fs::create_directories(request(folder).path / "info");
  for (const char* text : {"{", "[]", R"({"settings": "x"})", R"({"settings": {}, "launch": 1})"}) {
    write_text(request(folder).path / "info/manifest.json", text);
    EXPECT_TRUE(
        contains(refused([&] { RunFolder(request(folder), env(), settings()); }), "damaged"))
        << text;
    EXPECT_FALSE(manifest_settings(request(folder).path)) << text;
  }
}

}  // namespace
}  // namespace lazymar
