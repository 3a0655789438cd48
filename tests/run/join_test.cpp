#include "run/join.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "files/atomic_file.h"
#include "run/run_folder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;
using testing::write_text;

LauncherEnv env() {
  LauncherEnv env;
  env.launcher = Launcher::kOwn;
  env.size = 2;
  env.launch = "one";
  return env;
}

LauncherEnv joining() {
  LauncherEnv env;
  env.joins = true;
  return env;
}

ordered_json settings(int64_t seed = 1) {
  return {{"seed", seed}, {"lazy_mar", {{"refresh", 9}}}};
}

RunFolderRequest request(const TemporaryFolder& folder) {
  return {folder.path() / "a/b", false, 10, 0.4};
}

RunFolderRequest join_request(const TemporaryFolder& folder) {
  RunFolderRequest join = request(folder);
  join.join = true;
  return join;
}

TEST(Join, ProcessesTakeFreeRanksAfterTheLaunchs) {
  const TemporaryFolder folder;
  const RunFolderRequest join = join_request(folder);
  const LauncherEnv plain = joining();
  EXPECT_TRUE(contains(refused([&] { RunFolder(join, plain, settings()); }), "there is no run"));
  {
    const RunFolder run(request(folder), env(), settings());
    run.announce();
    const RunFolder first(join, plain, settings());
    const auto second = std::make_unique<RunFolder>(join, plain, settings());
    EXPECT_EQ(first.rank(), 2);  // the launch has 0 and 1
    EXPECT_EQ(second->rank(), 3);
    EXPECT_EQ(first.session(), run.session());
    EXPECT_TRUE(
        contains(refused([&] { RunFolder(join, plain, settings(2)); }), "seed 1 there, 2 now"));
  }
  EXPECT_TRUE(
      contains(refused([&] { RunFolder(join, plain, settings()); }), "no process is at work"));
}

TEST(Join, WaitsUntilRankZeroHasOpenedIt) {
  const TemporaryFolder folder;
  const RunFolder run(request(folder), env(), settings());
  // As with --overwrite: rank 0 still deletes the files of an earlier run, whose settings differ.
  const fs::path manifest = run.info() / "manifest.json";
  const std::string text = testing::read_text(manifest);
  write_text(manifest, ordered_json{{"settings", settings(2)}}.dump());
  std::thread late([&] {
    for (int tenth = 0; tenth < 6; ++tenth) {
      run.member().keep_fresh();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    write_text(manifest, text);
    run.announce();
  });
  const RunFolderRequest join = join_request(folder);
  const LauncherEnv plain = joining();
  EXPECT_EQ(RunFolder(join, plain, settings()).session(), run.session());
  late.join();
}

TEST(Join, WithoutARunPassesOverOthersItMayNotWrite) {
  const TemporaryFolder folder;
  RunFolderRequest other = request(folder);
  other.path = folder.path() / "a/other";
  const RunFolder run(other, env(), settings(2));
  // A folder in place of this process's clock fails as a read-only file system does.
  fs::create_directory(run.info() / "ranks" / concat(".clock.", process_token()));
  const RunFolderRequest join = join_request(folder);
  const LauncherEnv plain = joining();
  EXPECT_TRUE(contains(refused([&] { RunFolder(join, plain, settings()); }), "there is no run"));
}

}  // namespace
}  // namespace lazymar
