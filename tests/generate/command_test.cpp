#include "generate/command.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "core/exit_code.h"
#include "core/labels.h"
#include "generate/drift_files.h"
#include "generate/shard_maker.h"
#include "run/drift.h"
#include "run/head_recording.h"
#include "support/errors.h"
#include "support/method.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::refused;
using testing::TemporaryFolder;

/// A few short steps of the demo checkpoint.
EvalOptions quick_run(const TemporaryFolder& folder, bool lazy) {
  EvalOptions options;
  options.model.model = "demo";
  options.model.resume = fs::path(LAZYMAR_SOURCE_DIR) / "pretrained_models/mar/demo";
  options.sampling.num_iter = 8;
  options.sampling.num_sampling_steps = 4;
  options.num_images = 5;
  options.eval_bsz = 2;
  options.output_dir = folder.path();
  options.grid = {2, 2};
  if (lazy) {
    options.lazy.emplace();
  }
  return options;
}

fs::path only_run(const TemporaryFolder& folder) {
  return fs::directory_iterator(folder.path() / "demo")->path();
}

TEST(Label, SortedAndBalanced) {
  std::vector<int64_t> classes(10);
  std::iota(classes.begin(), classes.end(), 0);
  // Divisible: np.arange(10).repeat(5), as in the original.
  for (int64_t id = 0; id < 50; ++id) {
    EXPECT_EQ(label_of(id, classes, 50), id / 5);
  }
  for (const int64_t n : {1, 3, 7, 23, 101}) {
    std::vector<int64_t> count(10, 0);
    int64_t last = 0;
    for (int64_t id = 0; id < n; ++id) {
      const int64_t label = label_of(id, classes, n);
      EXPECT_GE(label, last);
      last = label;
      ++count[static_cast<size_t>(label)];
    }
    const auto [least, most] = std::minmax_element(count.begin(), count.end());
    EXPECT_LE(*most - *least, 1);
  }
  EXPECT_EQ(label_of(3, {207, 360}, 4), 360);
}

TEST(Evaluate, LeavesImagesAndASummary) {
  for (const bool lazy : {false, true}) {
    const TemporaryFolder folder;
    EXPECT_EQ(evaluate(quick_run(folder, lazy)), ExitCode::kDone);
    const fs::path run = only_run(folder);
    for (const char* name : {"00000.png", "00004.png", "info/grid.png"}) {
      EXPECT_TRUE(read_text(run / name).starts_with("\x89PNG")) << name;
    }
    EXPECT_FALSE(fs::exists(run / "00005.png"));  // the last shard's padding
    const auto summary = nlohmann::json::parse(read_text(run / "info/summary.json"));
    EXPECT_EQ(summary.at("complete"), true);
    EXPECT_EQ(summary.at("images"), 5);
    EXPECT_EQ(summary.at("settings").at("cfg"), 1.5);
    EXPECT_EQ(summary.at("steps").at("lazy"), lazy ? 2 : 0);
    const auto& rows = summary.at("rows_per_image").at("transformer");
    const double share = rows.at("computed").get<double>() / rows.at("total").get<double>();
    EXPECT_LT(share, 1.0);  // not even plain MAR needs all of them
    EXPECT_EQ(share > 0.75, !lazy) << share;
  }
}

TEST(Evaluate, ImagesDoNotDependOnHowManyThereAre) {
  // The same ids, classes and shard size in a longer run: equal files.
  const TemporaryFolder short_folder;
  const TemporaryFolder long_folder;
  EvalOptions options = quick_run(short_folder, true);
  options.classes = {4};
  options.num_images = 2;
  evaluate(options);
  options.output_dir = long_folder.path();
  options.num_images = 3;
  evaluate(options);
  for (const char* name : {"00000.png", "00001.png"}) {
    EXPECT_EQ(read_text(only_run(short_folder) / name), read_text(only_run(long_folder) / name));
  }
}

TEST(Evaluate, TheNumberOfThreadsDoesNotMatter) {
  std::string images;
  for (const int64_t threads : {1, 2, 3}) {
    const TemporaryFolder folder;
    EvalOptions options = quick_run(folder, true);
    options.sampling.num_iter = 16;
    options.eval_bsz = 5;
    options.threads = threads;
    evaluate(options);
    std::string pngs;
    for (int64_t id = 0; id < options.num_images; ++id) {
      pngs += read_text(only_run(folder) / image_name(id));
    }
    EXPECT_TRUE(images.empty() || pngs == images) << threads << " threads";
    images = pngs;
  }
  at::set_num_threads(1);
}

/// The images of a run of five, as one text.
std::string all_pngs(const TemporaryFolder& folder) {
  std::string pngs;
  for (int64_t id = 0; id < 5; ++id) {
    pngs += read_text(only_run(folder) / image_name(id));
  }
  return pngs;
}

TEST(Evaluate, RecordingFeaturesLeavesImagesAndFiguresAlone) {
  const TemporaryFolder plain;
  const TemporaryFolder recorded;
  const TemporaryFolder features;
  EvalOptions options = quick_run(plain, false);
  evaluate(options);
  options.output_dir = recorded.path();
  options.record_drift = features.path();
  options.record_head = 12;
  evaluate(options);
  EXPECT_EQ(all_pngs(recorded), all_pngs(plain));
  const auto flops = [](const TemporaryFolder& folder) {
    return nlohmann::json::parse(read_text(only_run(folder) / "info/summary.json"))
        .at("flops_per_image");
  };
  EXPECT_EQ(flops(recorded), flops(plain));
  const std::vector<ImageDrift> images = read_drift(features.path());
  ASSERT_EQ(images.size(), 5U);  // not the last shard's padding
  const DriftHeader& last = images.back().header;
  EXPECT_EQ(last.image, 4);
  EXPECT_EQ(last.label, 8);
  EXPECT_EQ(last.steps(), 8);
  EXPECT_EQ(last.settings.at("model"), "demo");
  EXPECT_TRUE(images.back().changes.contains("difference"));
  const auto change_of = [&](size_t image) {
    return images[image].changes.at("output").at(1, 2, 0);
  };
  EXPECT_NE(change_of(0), change_of(4));
  EXPECT_GT(change_of(0), 0);
  const std::vector<ImageHeadRecording> heads = read_head_recordings(features.path());
  ASSERT_EQ(heads.size(), 5U);
  EXPECT_EQ(heads.back().header.label, 8);
  EXPECT_EQ(heads.back().header.timesteps.size(), 12U);
  EXPECT_EQ(heads.back().header.timesteps[0], (std::vector<int64_t>{999, 666, 333, 0}));
  std::vector<float> one(4), other(4);
  heads[0].mlp.read(0, 0, one);
  heads[4].mlp.read(0, 0, other);
  EXPECT_NE(one, other);
}

TEST(Evaluate, FeaturesThatAreThereStayOrAreRefused) {
  const TemporaryFolder drawn_before;
  const TemporaryFolder drawn;
  const TemporaryFolder drawn_anew;
  const TemporaryFolder features;
  EvalOptions options = quick_run(drawn_before, false);
  evaluate(options);
  options.record_drift = features.path();
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }), "nothing was recorded"));
  options.output_dir = drawn.path();
  evaluate(options);
  EXPECT_EQ(evaluate(options), ExitCode::kDone);  // no work is left
  EXPECT_EQ(read_drift(features.path()).size(), 5U);
  options.sampling.num_iter = 7;
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }), "num_iter 8 there, 7 now"));
  EXPECT_EQ(read_drift(features.path()).front().header.steps(), 8);
  options.output_dir = drawn_anew.path();
  options.overwrite = true;
  evaluate(options);
  EXPECT_EQ(read_drift(features.path()).size(), 5U);
  EXPECT_EQ(read_drift(features.path()).front().header.steps(), 7);
}

TEST(Evaluate, FeaturesThatWouldFillMemoryOrDiskAreRefused) {
  const MarConfig huge = published_config(*find_preset("mar_huge"));
  SamplingOptions sampling;
  EXPECT_NO_THROW(check_drift_size(huge, testing::plan_of(huge, sampling), 8));
  EXPECT_TRUE(testing::contains(
      refused([&] { check_drift_size(huge, testing::plan_of(huge, sampling), 64); }),
      "use --eval_bsz 13"));
  sampling.num_iter = 256;
  EXPECT_NO_THROW(check_drift_size(huge, testing::plan_of(huge, sampling), 2));
  sampling.num_iter = 300;
  EXPECT_TRUE(testing::contains(
      refused([&] { check_drift_size(huge, testing::plan_of(huge, sampling), 1); }),
      "use a smaller --num_iter"));
}

TEST(Evaluate, AnAutomaticBatchIsChosenOnceAndNotedInTheManifest) {
  const TemporaryFolder folder;
  EvalOptions options = quick_run(folder, true);
  options.eval_bsz.reset();
  options.auto_batch = true;
  evaluate(options);
  const fs::path run = only_run(folder);
  EXPECT_TRUE(testing::contains(run.filename().string(), "_bszauto")) << run;
  std::string text = read_text(run / "info/manifest.json");
  // A CPU's usual batch, limited to the number of images.
  EXPECT_EQ(nlohmann::json::parse(text).at("settings").at("eval_bsz"), 5);
  // A continued run uses the manifest's value, whatever would be chosen now.
  const size_t place = text.find("\"eval_bsz\": 5");
  ASSERT_NE(place, std::string::npos);
  const fs::path other = folder.path() / "other";
  fs::create_directories(other / "demo" / run.filename() / "info");
  std::ofstream(other / "demo" / run.filename() / "info/manifest.json")
      << text.replace(place, 13, "\"eval_bsz\": 4");
  options.output_dir = other;
  EXPECT_EQ(evaluate(options), ExitCode::kDone);
  const auto summary =
      nlohmann::json::parse(read_text(other / "demo" / run.filename() / "info/summary.json"));
  EXPECT_EQ(summary.at("settings").at("eval_bsz"), 4);
}

TEST(Evaluate, RefusesClassesThatTheModelLacks) {
  const TemporaryFolder folder;
  EvalOptions options = quick_run(folder, false);
  options.classes = {10};
  EXPECT_TRUE(testing::contains(refused([&] { evaluate(options); }), "classes 0 to 9"));
}

/// An image that is unusable twice is computed with another generator, created only for that.
TEST(ShardMaker, WhatStaysUnusableIsTriedMoreExactly) {
  const TemporaryFolder folder;
  const EvalOptions options = quick_run(folder, /*lazy=*/true);
  const auto make_generator = [&] {
    return std::make_unique<Generator>(
        std::make_shared<const Networks>(load_model(options.model, {})),
        method_of(options.sampling, options.lazy), 1);
  };
  const std::unique_ptr<Generator> generator = make_generator();
  struct Case {
    const char* fault;
    int made;         ///< exact generators
    bool recomputed;  ///< image 1
    bool failed;
  };
  for (const Case& what :
       {Case{"", 0, false, false}, Case{"nan@image:1", 0, true, false},
        Case{"flat@image:1*2", 1, true, false}, Case{"nan@image:1*", 1, true, true}}) {
    const fs::path marks = folder.path() / (std::string("marks") + what.fault);
    fs::create_directories(marks);
    const FaultInjection faults(what.fault, marks);
    ShardMaker maker(options, ShardPlan(2, 2), {0, 1}, *generator, faults);
    int made = 0;
    maker.retry_with([&] {
      ++made;
      return make_generator();
    });
    ShardMaker::Started started = maker.start(ShardRecord(), [](double) {});
    const GeneratedBatch shard = maker.finish(started);
    const ShardRecord& record = started.record;
    EXPECT_EQ(made, what.made) << what.fault;
    EXPECT_EQ(record.recomputed,
              what.recomputed ? std::vector<int64_t>{1} : std::vector<int64_t>{});
    EXPECT_EQ(record.failed, what.failed ? std::vector<int64_t>{1} : std::vector<int64_t>{});
    EXPECT_EQ(shard.sound[1], !what.failed) << what.fault;
    EXPECT_TRUE(shard.sound[0]) << what.fault;
  }
}

}  // namespace
}  // namespace lazymar
