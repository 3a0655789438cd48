#include "run/shard_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>

#include "support/temporary_folder.h"

namespace lazymar {
namespace {

/// A run folder with a running writer.
struct Writing {
  testing::TemporaryFolder folder;
  std::filesystem::path info = folder.path() / "info";
  bool made = std::filesystem::create_directories(info / "claims") &&
              std::filesystem::create_directory(info / "unfinished");
  ImageFiles files{folder.path(), false, Durability::kNone, 0};
  Journal journal{info, 0, false};
  Claims claims{info / "claims", 0, 300};
  FaultInjection faults{"", info / "faults"};
  bool taken = claims.take("0");
  ShardWriter writer{files, journal, claims, faults, 2};
};

RawShard shard_of_one(std::function<PngText()> text) {
  constexpr int64_t kSide = 4;
  RawShard shard;
  shard.width = shard.height = kSide;
  shard.images.push_back({0,
                          std::shared_ptr<const uint8_t>(new uint8_t[kSide * kSide * 3](),
                                                         [](const uint8_t* p) { delete[] p; }),
                          std::move(text)});
  return shard;
}

// A PNG's text may take seconds (it contains the weights' hash); computing continues meanwhile.
TEST(ShardWriter, DoesNotWaitForATextBeforeItTakesTheShard) {
  Writing run;
  std::promise<void> submitted;
  std::future_status seen = std::future_status::deferred;
  run.writer.submit(shard_of_one([&]() -> PngText {
    seen = submitted.get_future().wait_for(std::chrono::seconds(10));
    return {{"id", "0"}};
  }));
  submitted.set_value();
  run.writer.finish();
  EXPECT_EQ(seen, std::future_status::ready);  // otherwise submit() waited for the text
  const std::string png = testing::read_text(run.folder.path() / image_name(0));
  EXPECT_EQ(read_png_text(std::as_bytes(std::span(png))), (PngText{{"id", "0"}}));
}

TEST(ShardWriter, WhatATextThrowsComesOutOfTheWriter) {
  Writing run;
  run.writer.submit(shard_of_one([]() -> PngText { throw std::runtime_error("no hash"); }));
  EXPECT_THROW(run.writer.finish(), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(run.folder.path() / image_name(0)));
}

// A process that stood still finds its claim in another's hands.
TEST(ShardWriter, WritesNothingOfAShardThatAnotherHasTakenOver) {
  Writing run;
  ProcessId other = this_process();
  other.machine = "elsewhere";
  testing::write_text(run.info / "claims/0", encode(other) + "\n");
  run.writer.submit(shard_of_one([] { return PngText(); }));
  run.writer.finish();
  EXPECT_FALSE(std::filesystem::exists(run.folder.path() / image_name(0)));
  EXPECT_EQ(testing::read_text(run.info / "journal.0.jsonl"), "");
  EXPECT_EQ(testing::read_text(run.info / "claims/0"), encode(other) + "\n");
}

TEST(ShardWriter, WritesWhatItHolds) {
  Writing run;
  run.writer.submit(shard_of_one([] { return PngText(); }));
  run.writer.finish();
  EXPECT_TRUE(std::filesystem::exists(run.folder.path() / image_name(0)));
  EXPECT_FALSE(std::filesystem::exists(run.info / "claims/0"));
}

}  // namespace
}  // namespace lazymar
