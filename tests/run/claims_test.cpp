#include "run/claims.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;

/// A process of this host that has ended.
ProcessId dead_process() {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char go = 0;
    (void)!::read(ends[0], &go, 1);
    ::_exit(0);
  }
  ProcessId process = this_process();
  process.pid = child;
  EXPECT_EQ(::write(ends[1], "g", 1), 1);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return process;
}

ProcessId elsewhere() {
  ProcessId process = this_process();
  process.machine = "another boot";
  return process;
}

TEST(ProcessId, SurvivesBeingWritten) {
  const ProcessId self = this_process();
  EXPECT_EQ(parse_process_id(encode(self)), self);
  EXPECT_EQ(parse_process_id("nonsense"), ProcessId{});
}

TEST(ProcessId, TheAgeOfThisProcessGrows) {
  const double age = process_age();
  EXPECT_GE(age, 0);
  EXPECT_LT(age, 3600);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_GT(process_age(), age);
}

TEST(ProcessId, KnowsWhoLivesOnThisHost) {
  EXPECT_EQ(liveness(this_process()), Liveness::kAlive);
  EXPECT_EQ(liveness(dead_process()), Liveness::kDead);
  EXPECT_EQ(liveness(elsewhere()), Liveness::kUnknown);
  ProcessId reused = this_process();
  --reused.started;
  EXPECT_EQ(liveness(reused), Liveness::kDead);
}

TEST(Claims, OneHolderAtATime) {
  const TemporaryFolder folder;
  Claims one(folder.path(), 0, 300);
  Claims other(folder.path(), 1, 300);
  EXPECT_TRUE(one.take("7"));
  EXPECT_FALSE(other.take("7"));
  EXPECT_FALSE(one.take("7"));
  EXPECT_TRUE(other.take("8"));
  other.release("7");  // not its own
  EXPECT_FALSE(other.take("7"));
  one.release("7");
  EXPECT_TRUE(other.take("7"));
}

TEST(Claims, EndWithTheirHolder) {
  const TemporaryFolder folder;
  { EXPECT_TRUE(Claims(folder.path(), 0, 300).take("7")); }
  EXPECT_TRUE(Claims(folder.path(), 1, 300).take("7"));
}

TEST(Claims, OfADeadProcessAreTakenOverAtOnce) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "7", encode(dead_process()) + "\n");
  EXPECT_TRUE(Claims(folder.path(), 1, 300).take("7"));
}

TEST(Claims, FromElsewhereGoStale) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "7", encode(elsewhere()) + "\n");
  Claims claims(folder.path(), 1, 0.3);
  EXPECT_FALSE(claims.take("7"));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_TRUE(claims.take("7"));
}

TEST(Claims, KeptFreshDoNotGoStale) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "7", encode(elsewhere()) + "\n");
  Claims holder(folder.path(), 0, 0.4);
  EXPECT_TRUE(holder.take("8"));
  Claims other(folder.path(), 1, 0.4);
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    holder.keep_fresh();
  }
  EXPECT_FALSE(other.take("8"));
  EXPECT_TRUE(other.take("7"));
}

TEST(Claims, ThatWereTakenOverAreLostAndLeftAlone) {
  const TemporaryFolder folder;
  const std::string other = encode(elsewhere()) + "\n";
  {
    Claims claims(folder.path(), 0, 0.1);
    EXPECT_FALSE(claims.holds("7"));
    EXPECT_TRUE(claims.take("7"));
    EXPECT_TRUE(claims.take("8"));
    EXPECT_TRUE(claims.holds("7"));
    testing::write_text(folder.path() / "7", other);
    testing::write_text(folder.path() / "8", other);
    EXPECT_FALSE(claims.holds("7"));
    std::filesystem::last_write_time(folder.path() / "7", {});
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(claims.keep_fresh());
    EXPECT_EQ(std::filesystem::last_write_time(folder.path() / "7"),
              std::filesystem::file_time_type());
    claims.release("7");
  }
  EXPECT_EQ(testing::read_text(folder.path() / "7"), other);
  EXPECT_EQ(testing::read_text(folder.path() / "8"), other);
}

TEST(Claims, LeaveNoFileOfTheirMakingBehind) {
  const TemporaryFolder folder;
  Claims one(folder.path(), 0, 300);
  EXPECT_TRUE(one.take("7"));
  EXPECT_FALSE(Claims(folder.path(), 1, 300).take("7"));
  one.release("7");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_TRUE(entry.path().filename().string().starts_with(".clock.")) << entry.path();
  }
}

TEST(Claims, OneWhoDiedWhileRemovingAClaimShardsNobody) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "7", encode(dead_process()) + "\n");
  testing::write_text(folder.path() / ".removing.7", encode(dead_process()) + "\n");
  Claims claims(folder.path(), 0, 300);
  EXPECT_FALSE(claims.take("7"));
  EXPECT_TRUE(claims.take("7"));
}

TEST(Claims, OfManyThatTryOneSucceeds) {
  const TemporaryFolder folder;
  for (int round = 0; round < 200; ++round) {
    const std::string name = std::to_string(round);
    if (round % 2 == 1) {
      testing::write_text(folder.path() / name, encode(dead_process()) + "\n");
    }
    std::atomic<int> successes{0};
    std::vector<std::unique_ptr<Claims>> all;
    std::vector<std::thread> threads;
    constexpr int kRanks = 4;
    all.reserve(kRanks);
    threads.reserve(kRanks);
    for (int rank = 0; rank < kRanks; ++rank) {
      all.push_back(std::make_unique<Claims>(folder.path(), rank, 300));
    }
    for (const auto& claims : all) {
      threads.emplace_back([&] { successes += claims->take(name) ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(successes, 1) << name;
  }
}

TEST(Claims, ThatCannotBeWrittenAreAnError) {
  const TemporaryFolder folder;
  Claims claims(folder.path() / "none", 0, 300);
  EXPECT_TRUE(testing::contains(testing::refused([&] { claims.take("7"); }, ErrorKind::kOutput),
                                "cannot create"));
}

}  // namespace
}  // namespace lazymar
