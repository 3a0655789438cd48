#include <gtest/gtest.h>

#include <set>

#include "cli/commands.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

Parsed<CompareOptions> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "lazymar_compare");
  return parse_compare_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CompareOptions, RunsAreWhatIsNoFlag) {
  const CompareOptions options = parse({"a", "--pairs", "3", "b", "c"}).options;
  EXPECT_EQ(options.runs, (std::vector<std::filesystem::path>{"a", "b", "c"}));
  EXPECT_EQ(options.pairs, 3);
  EXPECT_EQ(options.output_dir, "comparison");
  EXPECT_TRUE(options.images);
  EXPECT_FALSE(options.threads);
  EXPECT_FALSE(options.drift || options.tolerance || options.falling);
}

TEST(CompareOptions, AllOfThem) {
  const CompareOptions options =
      parse({"a", "b", "--output_dir", "out", "--no_pairs", "--threads", "2", "--features", "f",
             "--suggest_schedule", "0.1", "--lazy_warmup", "0", "--lazy_refresh", "4", "--falling"})
          .options;
  EXPECT_EQ(options.output_dir, "out");
  EXPECT_FALSE(options.images);
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.drift, "f");
  EXPECT_EQ(options.tolerance, 0.1);
  EXPECT_EQ(options.lazy.warmup, 0);
  EXPECT_EQ(options.lazy.refresh, 4);
  EXPECT_TRUE(options.falling);
  EXPECT_EQ(parse({"a", "b", "--drift", "d"}).options.drift, "d");
}

/// The settings that the report reads: the lists that report had before option rows.
TEST(CompareOptions, KeysOfTheSettings) {
  const SettingKeys keys = parse({"a", "b"}).options.keys;
  using Names = std::set<std::string>;
  const auto names = [](const std::vector<std::string>& list) {
    return Names(list.begin(), list.end());
  };
  EXPECT_EQ(names(keys.identity), (Names{"model", "seed", "classes", "num_images"}));
  const Names of_methods{"method", "order",         "tokens_per_step", "head_steps", "solver",
                         "detail", "last_timestep", "timesteps",       "cache"};
  const auto besides_methods = [&](const std::vector<std::string>& list) {
    Names others = names(list);
    for (const std::string& name : of_methods) {
      EXPECT_EQ(others.erase(name), 1U) << name;
    }
    return others;
  };
  EXPECT_EQ(besides_methods(keys.noted),
            (Names{"model", "seed", "classes", "num_images", "eval_bsz", "num_iter",
                   "num_sampling_steps", "cfg", "cfg_schedule", "temperature", "device",
                   "precision", "kernels", "graphs", "version"}));
  EXPECT_EQ(besides_methods(keys.drift), (Names{"model", "num_iter", "num_sampling_steps", "cfg",
                                                "cfg_schedule", "temperature"}));
  EXPECT_EQ(besides_methods(keys.png_text),
            (Names{"model", "num_iter", "num_sampling_steps", "cfg", "cfg_schedule", "temperature",
                   "lazy_mar", "precision"}));
}

TEST(CompareOptions, AScheduleNeedsNoRun) {
  EXPECT_TRUE(parse({"--features", "f", "--suggest_schedule", "0.1"}).options.runs.empty());
  EXPECT_EQ(parse({"--features", "f", "--suggest_schedule", "0"}).options.tolerance, 0.0);
}

TEST(CompareOptions, AReplayNeedsNoRun) {
  const CompareOptions options =
      parse({"--features", "f", "--replay", "hold,taylor1", "--replay_interval", "4"}).options;
  EXPECT_EQ(options.replay, (std::vector<std::string>{"hold", "taylor1"}));
  EXPECT_EQ(options.replay_interval, 4);
  EXPECT_TRUE(parse({"a", "b"}).options.replay.empty());
}

TEST(CompareOptions, WhatCannotBeUsedIsRefused) {
  for (const auto& [arguments, reason] :
       std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{}, "a baseline's run folder"},
           {{"a"}, "a baseline's run folder"},
           {{"--features", "f"}, "a baseline's run folder"},
           {{"a", "--features", "f", "--suggest_schedule", "1"}, "a baseline's run folder"},
           {{"a", "b", "--pairs", "-1"}, "--pairs"},
           {{"a", "b", "--pairs", "1001"}, "--pairs"},
           {{"a", "b", "--threads", "0"}, "--threads"},
           {{"a", "b", "--colour"}, "colour"},
           {{"a", "b", "--suggest_schedule", "0.1"}, "needs --drift DIR"},
           {{"a", "b", "--features", "f", "--suggest_schedule", "-1"}, "--suggest_schedule"},
           {{"a", "b", "--features", "f", "--suggest_schedule", "nan"}, "--suggest_schedule"},
           {{"a", "b", "--replay", "hold"}, "--replay needs --drift DIR"},
           {{"--features", "f", "--replay", "hold,tailor"}, "\"tailor\""},
           {{"--features", "f", "--replay", ""}, "--replay"},
           {{"--features", "f", "--replay", "hold", "--replay_interval", "1"}, "--replay_interval"},
           {{"a", "b", "--features", "f", "--replay_interval", "4"}, "without --replay"},
           {{"a", "b", "--features", "f", "--falling"}, "without --suggest_schedule"},
           {{"a", "b", "--lazy_refresh", "3"}, "without --suggest_schedule"},
           {{"--features", "f", "--suggest_schedule", "1", "--lazy_refresh", "0"},
            "--lazy_refresh"}}) {
    EXPECT_TRUE(contains(refused([&] { parse(arguments); }), reason)) << reason;
  }
  EXPECT_TRUE(contains(*parse({"--help"}).text, "--suggest_schedule"));
}

}  // namespace
}  // namespace lazymar
