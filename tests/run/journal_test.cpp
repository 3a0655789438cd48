#include "run/journal.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::TemporaryFolder;

ShardRecord record(int64_t shard, int64_t attempt = 0) {
  ShardRecord made;
  made.shard = shard;
  made.attempt = attempt;
  made.images = {{shard * 2, 100, "aa"}, {shard * 2 + 1, 101, "bb"}};
  made.recomputed = {3, 4};
  made.micro_batch = 2;
  made.launch = "l";
  made.first = true;
  made.slots = 2;
  made.seconds = {1, 2, 3, 4, 11};
  made.png_seconds = 0.5;
  made.steps = {{0.25, int64_t{1} << 55}, {0.000001, 7}};
  made.flops = int64_t{1} << 60;
  made.finished = 1e9;
  return made;
}

void add(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder.path() / "journal.0.jsonl", std::ios::app) << text;
}

const ShardPlan kPlan(12, 2);

JournalReader read(const TemporaryFolder& folder) {
  JournalReader reader(folder.path(), kPlan);
  reader.refresh();
  return reader;
}

TEST(Journal, WhatWasWrittenIsRead) {
  const TemporaryFolder folder;
  for (const bool durable : {false, true}) {
    Journal(folder.path(), durable, durable).append(record(durable));
  }
  const JournalReader reader = read(folder);
  ASSERT_NE(reader.finished(1), nullptr);
  const ShardRecord& found = *reader.finished(1);
  const ShardRecord expected = record(1);
  EXPECT_EQ(found.images, expected.images);
  EXPECT_EQ(found.recomputed, expected.recomputed);
  EXPECT_EQ(found.micro_batch, expected.micro_batch);
  EXPECT_EQ(found.first, expected.first);
  EXPECT_EQ(found.flops, expected.flops);
  EXPECT_EQ(found.seconds.total, 11);
  EXPECT_EQ(found.png_seconds, 0.5);
  EXPECT_EQ(found.steps, expected.steps);
  EXPECT_EQ(reader.finished().size(), 2U);
  EXPECT_EQ(reader.finished(2), nullptr);
}

TEST(Journal, GrowsUnderItsReader) {
  const TemporaryFolder folder;
  Journal journal(folder.path(), 0, false);
  JournalReader reader(folder.path(), kPlan);
  reader.refresh();
  EXPECT_EQ(reader.finished(0), nullptr);
  journal.append(record(0));
  reader.refresh();
  EXPECT_NE(reader.finished(0), nullptr);
}

TEST(Journal, ATornLineDoesNotCountAndHidesNothing) {
  const TemporaryFolder folder;
  Journal(folder.path(), 0, false).append(record(0));
  const std::string line = testing::read_text(folder.path() / "journal.0.jsonl");
  add(folder, line.substr(0, line.size() / 2));
  JournalReader reader = read(folder);
  EXPECT_EQ(reader.finished().size(), 1U);
  // The next process of this rank appends after it.
  Journal(folder.path(), 0, false).append(record(1));
  reader.refresh();
  EXPECT_NE(reader.finished(0), nullptr);
  EXPECT_NE(reader.finished(1), nullptr);
}

TEST(Journal, RecordsOfVersionsWithoutStepsCount) {
  const TemporaryFolder folder;
  Journal(folder.path(), 0, false).append(record(0));
  std::string line = testing::read_text(folder.path() / "journal.0.jsonl");
  const size_t steps = line.find("\"steps\"");
  ASSERT_NE(steps, std::string::npos);
  line.erase(steps, line.find("\"flops\":1152") - steps);
  std::ofstream(folder.path() / "journal.0.jsonl") << line;
  const JournalReader reader = read(folder);
  ASSERT_NE(reader.finished(0), nullptr) << line;
  EXPECT_TRUE(reader.finished(0)->steps.empty());
}

TEST(Journal, NonsenseDoesNotCount) {
  const TemporaryFolder folder;
  add(folder, "nonsense\n[]\n{}\n{\"block\":\"x\"}\n{\"block\":0,\"undone\":\"x\"}\n\n\xff\n");
  Journal(folder.path(), 0, false).append(record(5));
  EXPECT_EQ(read(folder).finished().size(), 1U);
}

TEST(Journal, RecordsOfAnotherPlanDoNotCount) {
  const TemporaryFolder folder;
  Journal journal(folder.path(), 0, false);
  ShardRecord half = record(0);
  half.images.pop_back();
  ShardRecord failed = half;
  failed.failed = {1};
  ShardRecord twice = half;
  twice.failed = {0};
  ShardRecord mislabelled = record(3);
  mislabelled.shard = 4;
  ShardRecord of_nothing = record(0);
  of_nothing.slots = 0;
  const auto counts = [&](const ShardRecord& tested) {
    journal.append(tested);
    return !read(folder).finished().empty();
  };
  EXPECT_FALSE(counts(half));
  EXPECT_FALSE(counts(twice));
  EXPECT_FALSE(counts(mislabelled));
  EXPECT_FALSE(counts(of_nothing));
  EXPECT_FALSE(counts(record(6)));
  EXPECT_FALSE(counts(record(-1)));
  EXPECT_TRUE(counts(failed));
  EXPECT_EQ(read(folder).finished(0)->failed, failed.failed);
}

TEST(Journal, OtherFilesAreNone) {
  const TemporaryFolder folder;
  Journal(folder.path(), 0, false).append(record(0));
  std::filesystem::rename(folder.path() / "journal.0.jsonl", folder.path() / "journal.x.jsonl");
  EXPECT_EQ(read(folder).finished(0), nullptr);
}

TEST(Journal, AnUndoneShardIsUnfinishedUntilTheNextAttempt) {
  const TemporaryFolder folder;
  Journal one(folder.path(), 0, false);
  Journal other(folder.path(), 1, false);
  JournalReader reader(folder.path(), kPlan);
  EXPECT_EQ(reader.next_attempt(4), 0);
  one.append(record(4));
  other.undo(4, 0);
  reader.refresh();
  EXPECT_EQ(reader.finished(4), nullptr);
  EXPECT_NE(reader.latest(4), nullptr);
  EXPECT_EQ(reader.next_attempt(4), 1);
  other.append(record(4, 1));
  reader.refresh();
  ASSERT_NE(reader.finished(4), nullptr);
  EXPECT_EQ(reader.finished(4)->attempt, 1);
  EXPECT_EQ(reader.next_attempt(4), 2);
  // The order of the files does not matter.
  EXPECT_NE(read(folder).finished(4), nullptr);
}

TEST(Journal, NumbersThatNoRunWritesAreNoRecord) {
  const TemporaryFolder from;
  Journal(from.path(), 0, false).append(record(0));
  const std::string line = testing::read_text(from.path() / "journal.0.jsonl");
  const auto with = [&](const std::string& old, const std::string& fresh) {
    const TemporaryFolder folder;
    std::string changed = line;
    changed.replace(changed.find(old), old.size(), fresh);
    add(folder, changed);
    return read(folder).finished(0) != nullptr;
  };
  EXPECT_TRUE(with("\"attempt\":0", "\"attempt\":3"));  // the control
  EXPECT_FALSE(with("\"attempt\":0", "\"attempt\":9223372036854775807"));
  EXPECT_FALSE(with("\"attempt\":0", "\"attempt\":-1"));
  EXPECT_FALSE(with("\"block\":0", "\"block\":0.5"));
  EXPECT_FALSE(with("\"bytes\":100", "\"bytes\":-1"));
  EXPECT_FALSE(with("\"slots\":2", "\"slots\":18446744073709551615"));
  EXPECT_FALSE(with("\"block_rows\":0", "\"block_rows\":1e300"));
  EXPECT_FALSE(with("\"recomputed\":[3,4]", "\"recomputed\":[3,-4]"));
  EXPECT_FALSE(with("\"block\":0", "\"block\":0,\"block\":0"));
}

TEST(Journal, AStrangersWithdrawalsAreBounded) {
  const TemporaryFolder folder;
  add(folder, "{\"block\":0,\"undone\":9223372036854775807}\n");
  add(folder, "{\"block\":600,\"undone\":0}\n{\"block\":-1,\"undone\":0}\n");
  add(folder, "{\"block\":1,\"undone\":4}\n");
  const JournalReader reader = read(folder);
  EXPECT_EQ(reader.next_attempt(0), 0);
  EXPECT_EQ(reader.next_attempt(600), 0);
  EXPECT_EQ(reader.next_attempt(-1), 0);
  EXPECT_EQ(reader.next_attempt(1), 5);  // the control
}

TEST(Journal, ThatCannotBeWrittenIsAnError) {
  EXPECT_TRUE(testing::contains(
      testing::refused([] { Journal("/nowhere", 0, false); }, ErrorKind::kOutput), "cannot open"));
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder.path() / "journal.0.jsonl");
  EXPECT_TRUE(testing::contains(
      testing::refused([&] { Journal(folder.path(), 0, false).append(record(0)); },
                       ErrorKind::kOutput),
      "cannot write"));
}

}  // namespace
}  // namespace lazymar
