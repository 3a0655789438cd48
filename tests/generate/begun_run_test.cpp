#include "generate/begun_run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

void begin_in(const fs::path& run, const std::string& precision) {
  fs::create_directories(run / "info");
  std::ofstream(run / "info/manifest.json")
      << R"({"settings": {"precision": ")" << precision << R"("}})";
}

NetworkShape base_shape() {
  NetworkShape shape;
  shape.mar = published_config(*find_preset("mar_base"));
  return shape;
}

TEST(BegunRun, ItsPrecisionIsTheManifests) {
  const testing::TemporaryFolder folder;
  const EvalOptions options;
  const LauncherEnv first;
  const auto precision = [&] {
    return to_string(begun_precision(options, first, folder.path(), base_shape(), c10::kCPU));
  };
  // Whatever is measured here: both cannot be the fastest.
  for (const char* said : {"fp32", "fp64"}) {
    begin_in(folder.path(), said);
    EXPECT_EQ(precision(), said);
  }
  begin_in(folder.path(), "fp16");
  EXPECT_TRUE(testing::contains(testing::refused([&] { precision(); }), "precision fp16"));
}

TEST(BegunRun, TheOthersWaitForRankZero) {
  const testing::TemporaryFolder folder;
  EvalOptions options;
  LauncherEnv second;
  second.rank = 1;
  second.size = 2;
  std::thread rank_zero([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    begin_in(folder.path(), "fp64");
  });
  EXPECT_EQ(to_string(begun_precision(options, second, folder.path(), base_shape(), c10::kCPU)),
            "fp64");
  rank_zero.join();
}

TEST(BegunRun, WhoJoinsDoesNotWaitForARunThatIsNotThere) {
  const testing::TemporaryFolder folder;
  EvalOptions options;
  options.stall = 60;
  LauncherEnv second;
  second.rank = 1;
  second.size = 2;
  second.joins = true;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(begun_setting(options, second, folder.path(), "precision"), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(BegunRun, AnewItIsChosenAnew) {
  const testing::TemporaryFolder folder;
  EvalOptions options;
  options.overwrite = true;
  begin_in(folder.path(), "fp64");
  const LauncherEnv first;
  EXPECT_NE(to_string(begun_precision(options, first, folder.path(), base_shape(), c10::kCPU)),
            "fp64");
}

}  // namespace
}  // namespace lazymar
