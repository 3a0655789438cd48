#include "run/run_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "files/atomic_file.h"
#include "run/heartbeat.h"
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

LauncherEnv env(int64_t rank = 0, const std::string& launch = "one") {
  LauncherEnv env;
  env.launcher = Launcher::kOwn;
  env.rank = rank;
  env.size = 2;
  env.launch = launch;
  return env;
}

ordered_json settings(int64_t seed = 1) {
  return {{"seed", seed}, {"lazy_mar", {{"refresh", 9}}}};
}

RunFolderRequest request(const TemporaryFolder& folder, bool overwrite = false) {
  return {folder.path() / "a/b", overwrite, 10, 0.4};
}

TEST(RunFolder, CountsTheProcessesThatShareProcessors) {
  const ProcessId self = this_process();
  const auto member = [&](int64_t rank, const std::string& cpus) {
    MemberState member{rank, self, "one", "shard 1", 0, cpus};
    member.process.pid += 1 + rank;
    member.process.machine = self.machine.substr(0, self.machine.find('/')) + "/container";
    return member;
  };
  std::vector<MemberState> members{member(0, "0-3"), member(1, "4-7"), member(2, "0-3")};
  HostMembers here = members_here(members, self, "0-3", 10);
  EXPECT_EQ(here.all, 4);
  EXPECT_EQ(here.sharers.cores, 3);
  EXPECT_EQ(here.sharers.quota, 1);  // the others are in another container
  members[0].state = kEnded;
  members[2].silent_seconds = 11;
  here = members_here(members, self, "0-3", 10);
  EXPECT_EQ(here.all, 2);
  EXPECT_EQ(here.sharers.cores, 1);
  members[1].process.machine = "another boot/container";
  EXPECT_EQ(members_here(members, self, "4-7", 10).all, 1);
}

TEST(RunFolder, OfAnEqualRunIsContinued) {
  const TemporaryFolder folder;
  EXPECT_FALSE(RunFolder(request(folder), env(), settings()).continues());
  write_text(folder.path() / "a/b/00003.png", "x");
  const RunFolder again(request(folder), env(0, "two"), settings());
  EXPECT_TRUE(again.continues());
  EXPECT_TRUE(fs::exists(again.path() / "00003.png"));
}

TEST(RunFolder, OfAnotherRunIsRefusedWithEveryDifference) {
  const TemporaryFolder folder;
  (void)RunFolder(request(folder), env(), settings());
  ordered_json other = settings(2);
  other["lazy_mar"]["refresh"] = 4;
  const std::string message = refused([&] { RunFolder(request(folder), env(), other); });
  EXPECT_TRUE(contains(message, "seed 1 there, 2 now; lazy_mar/refresh 9 there, 4 now"));
  EXPECT_TRUE(contains(message, "--overwrite"));
}

TEST(RunFolder, OverwrittenOncePerLaunch) {
  const TemporaryFolder folder;
  (void)RunFolder(request(folder), env(), settings());
  write_text(folder.path() / "a/b/00003.png", "x");
  write_text(folder.path() / "a/b/block-00000.tar", "x");
  write_text(folder.path() / "a/b/notes.txt", "mine");
  write_text(folder.path() / "a/b/info/journal.0.jsonl", "x");
  (void)RunFolder(request(folder, true), env(0, "two"), settings(2));
  EXPECT_FALSE(fs::exists(folder.path() / "a/b/00003.png"));
  EXPECT_FALSE(fs::exists(folder.path() / "a/b/block-00000.tar"));
  EXPECT_FALSE(fs::exists(folder.path() / "a/b/info/journal.0.jsonl"));
  EXPECT_TRUE(fs::exists(folder.path() / "a/b/notes.txt"));
  // A restarted process of the same launch continues, and so does a requeued job.
  write_text(folder.path() / "a/b/00004.png", "x");
  (void)RunFolder(request(folder, true), env(0, "two"), settings(2));
  LauncherEnv requeued = env(0, "three");
  requeued.restarted = true;
  (void)RunFolder(request(folder, true), requeued, settings(2));
  EXPECT_TRUE(fs::exists(folder.path() / "a/b/00004.png"));
}

TEST(RunFolder, ForeignImagesAreRefused) {
  const TemporaryFolder folder;
  const fs::path path = request(folder).path;
  fs::create_directories(path);
  const auto message = [&] {
    return refused([&] { RunFolder(request(folder), env(), settings()); });
  };
  write_text(path / "00003.png", "x");
  EXPECT_TRUE(contains(message(), "00003.png belongs to a run without a manifest"));
  EXPECT_FALSE(fs::exists(path / "info"));
  fs::remove(path / "00003.png");
  (void)RunFolder(request(folder), env(), settings());
  for (const char* name : {"00010.png", "photo.png"}) {
    write_text(path / name, "x");
    EXPECT_TRUE(contains(message(), std::string(name) + " belongs to no image of this run"));
    fs::remove(path / name);
  }
}

TEST(RunFolder, OtherRanksWaitForTheFirst) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(refused([&] { RunFolder(request(folder), env(1), settings()); }),
                       "rank 0 did not open this run folder"));
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    (void)RunFolder(request(folder), env(0), settings());
  });
  EXPECT_TRUE(RunFolder(request(folder), env(1), settings()).path() == request(folder).path);
  late.join();
}

TEST(RunFolder, UnderALauncherAManifestIsNotEnough) {
  const TemporaryFolder folder;
  LauncherEnv first = env(0);
  LauncherEnv other = env(1);
  first.launcher = other.launcher = Launcher::kExternal;
  {
    const RunFolder opened(request(folder), first, settings());
    EXPECT_FALSE(refused([&] { RunFolder(request(folder), other, settings()); }).empty());
    opened.announce();
    EXPECT_EQ(RunFolder(request(folder), other, settings()).session(), opened.session());
  }
  // It has ended, but after this process was started: it was quick.
  EXPECT_NO_THROW(RunFolder(request(folder), other, settings()));
  // Files of an earlier launch with the same name do not count.
  const fs::path first_file = request(folder).path / "info/ranks/0.json";
  fs::last_write_time(first_file, fs::file_time_type::clock::now() - std::chrono::hours(1000));
  EXPECT_FALSE(refused([&] { RunFolder(request(folder), other, settings()); }).empty());
}

TEST(RunFolder, DebrisIsRemovedOnceNobodyElseIsAtWork) {
  const TemporaryFolder folder;
  auto first = std::make_unique<RunFolder>(request(folder), env(), settings());
  auto company = std::make_unique<RunFolder>(request(folder), env(1), settings());
  const fs::path info = first->info();
  const auto left = [&] {
    return std::vector{fs::exists(info / "unfinished/7.x.part"), fs::exists(info / "claims/3"),
                       fs::exists(info / ".a.tmp")};
  };
  for (const char* name : {"unfinished/7.x.part", "claims/3", ".a.tmp"}) {
    write_text(info / name, "");
  }
  first.reset();
  first = std::make_unique<RunFolder>(request(folder), env(), settings());
  EXPECT_EQ(left(), std::vector(3, true));
  first.reset();
  company.reset();
  first = std::make_unique<RunFolder>(request(folder), env(), settings());
  EXPECT_EQ(left(), std::vector(3, false));
}

TEST(RunFolder, WhatCannotBeAFolderIsRefused) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a", "");
  const std::string message =
      refused([&] { RunFolder(request(folder), env(), settings()); }, ErrorKind::kOutput);
  EXPECT_TRUE(contains(message, "cannot be written"));
  EXPECT_TRUE(contains(message, "choose a writable folder"));
}

TEST(RunFolder, ADamagedManifestIsRefused) {
  const TemporaryFolder folder;
  (void)RunFolder(request(folder), env(), settings());
  write_text(request(folder).path / "info/manifest.json", "{");
  EXPECT_TRUE(contains(refused([&] { RunFolder(request(folder), env(), settings()); }),
                       "manifest.json: damaged"));
}

TEST(RunFolder, WeightsAreNotedAndCompared) {
  const TemporaryFolder folder;
  const RunFolder run(request(folder), env(), settings());
  EXPECT_TRUE(run.weights().is_null());
  run.settle_weights({{"mar", "aa"}}, false);
  EXPECT_TRUE(run.weights().is_null());
  run.settle_weights({{"mar", "aa"}}, true);
  EXPECT_EQ(run.weights().at("mar"), "aa");
  run.settle_weights({{"mar", "aa"}}, true);
  EXPECT_TRUE(contains(refused([&] {
                         run.settle_weights({{"mar", "bb"}}, true);
                       }),
                       "other weights: mar aa there, bb now"));
}

TEST(Heartbeat, OfAnotherLaunchIsRefusedWhileItLives) {
  const TemporaryFolder folder;
  auto one = std::make_unique<RunFolder>(request(folder), env(), settings());
  const fs::path info = one->info();
  const auto message = [&](const LauncherEnv& other) {
    return refused([&] { RunFolder(request(folder), other, settings()); });
  };
  const std::string file = testing::read_text(info / "ranks/0.json");
  EXPECT_TRUE(contains(file, std::to_string(::getpid())));
  const RunFolder company(request(folder), env(1), settings());
  EXPECT_EQ(read_members(info).size(), 2U);
  EXPECT_TRUE(contains(message(env()), "another run is starting here as rank 0"));
  one.reset();
  ProcessId init = this_process();
  init.pid = ::getppid();
  init.started = -1;
  const ordered_json parent = {{"rank", 0}, {"process", ""}, {"launch", "three"}, {"state", ""}};
  const auto with_process = [&](const ProcessId& process) {
    ordered_json changed = parent;
    changed["process"] = encode(process);
    write_text_atomically(info / "ranks/7.json", changed.dump());
  };
  with_process(init);  // its start time does not match: dead
  EXPECT_NO_THROW(RunFolder(request(folder), env(), settings()));
  ProcessId elsewhere = init;
  elsewhere.machine = "elsewhere";
  with_process(elsewhere);  // no heartbeat within the stall
  EXPECT_NO_THROW(RunFolder(request(folder), env(), settings()));
  with_process(elsewhere);
  std::jthread alive([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      with_process(elsewhere);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  EXPECT_TRUE(contains(message(env()), "another run is using this folder"));
}

// A file system whose times have whole seconds shows a time after the last heartbeat, or before.
TEST(Heartbeat, ADeadProcessGivesNoSignWhateverTheTimeOfItsFile) {
  const TemporaryFolder folder;
  const fs::path info = request(folder).path / "info";
  fs::create_directories(info / "ranks");
  ProcessId elsewhere = this_process();
  elsewhere.machine = "elsewhere";
  const ordered_json dead = {
      {"rank", 7}, {"process", encode(elsewhere)}, {"launch", "three"}, {"state", "shard 1"}};
  write_text_atomically(info / "ranks/7.json", dead.dump());
  fs::last_write_time(info / "ranks/7.json",
                      fs::file_time_type::clock::now() + std::chrono::milliseconds(900));
  EXPECT_NO_THROW(RunFolder(request(folder), env(), settings()));
}

TEST(Heartbeat, AProcessThatLostItsPlaceEnds) {
  const TemporaryFolder folder;
  const RunFolder run(request(folder), env(), settings());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_NO_THROW(run.member().keep_fresh());
  ProcessId other = this_process();
  other.machine = "elsewhere";
  write_text(run.info() / "ranks/0.lock", encode(other) + "\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(
      contains(refused([&] { run.member().keep_fresh(); }, ErrorKind::kIncomplete), "stood still"));
}

}  // namespace
}  // namespace lazymar
