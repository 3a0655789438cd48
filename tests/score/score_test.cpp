#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "formats/npz.h"
#include "formats/png.h"
#include "formats/tar.h"
#include "score/extraction.h"
#include "score/feature_file.h"
#include "score/image_loader.h"
#include "score/image_npz.h"
#include "score/image_source.h"
#include "score/scores.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::read_text;
using testing::refused;
using testing::TemporaryFolder;
using testing::write_text;

constexpr int64_t kSide = 8;

/// Features that identify the image: its mean colour. Counts the requested images.
class MeanColour final : public FeatureExtractor {
 public:
  MeanColour() : FeatureExtractor({"colour", "", 3, 2, 0, 4, {}}) {}
  Features operator()(const at::Tensor& pixels) const override {
    asked += pixels.size(0);
    const at::Tensor mean = pixels.to(c10::kFloat).mean(at::IntArrayRef{1, 2});
    return {mean, mean.narrow(1, 0, 2) / 100};
  }
  mutable int64_t asked = 0;
};

std::vector<uint8_t> picture(int64_t seed, int64_t side = kSide) {
  std::vector<uint8_t> pixels(static_cast<size_t>(side * side * 3));
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint8_t>((i * 37 + static_cast<size_t>(seed) * 101) % 251);
  }
  return pixels;
}

std::vector<std::byte> png(int64_t seed, const PngText& text = {}) {
  return encode_png(picture(seed), kSide, kSide, text);
}

void write_bytes(const fs::path& path, std::span<const std::byte> bytes) {
  write_text(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

const ExtractorId kId{"colour", std::string(64, 'a')};

/// Ten images; 3 is truncated, and 5 has the pixels of 4.
class ScoreTest : public ::testing::Test {
 protected:
  ScoreTest() {
    fs::create_directories(set_ / "sub");
    for (int64_t i = 0; i < 10; ++i) {
      std::vector<std::byte> file = png(i == 5 ? 4 : i, {{"class", std::to_string(i / 5)}});
      if (i == 3) {
        file.resize(file.size() / 2);
      }
      write_bytes(set_ / (i < 8 ? "" : "sub") / concat("image", i, ".png"), file);
    }
    write_text(set_ / "notes.txt", "no picture");
    write_text(set_ / ".hidden.png", "no picture");
  }

  FeatureTable extract(const FeatureStore& known = {kId, 3, 2}, int64_t threads = 3) const {
    return extract_features(*open_image_source(set_), extractor_, known, threads);
  }

  TemporaryFolder folder_;
  fs::path set_ = folder_.path() / "set";
  MeanColour extractor_;
};

TEST_F(ScoreTest, AFolderIsReadInTheOrderOfItsNames) {
  const auto source = open_image_source(set_);
  std::vector<std::string> names;
  for (const SourceImage& image : source->content().images) {
    names.push_back(image.name);
  }
  EXPECT_EQ(names.size(), 10U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(names.back(), "sub/image9.png");
}

TEST_F(ScoreTest, FeaturesDoNotDependOnThreads) {
  const FeatureTable one = extract({kId, 3, 2}, 1);
  const FeatureTable many = extract({kId, 3, 2}, 8);
  EXPECT_TRUE(at::equal(one.rows.pool, many.rows.pool));
  const at::Tensor mean = at::tensor(picture(0), c10::kByte).to(c10::kFloat).view({-1, 3}).mean(0);
  EXPECT_TRUE(at::allclose(one.rows.pool[0], mean));
  EXPECT_EQ(one.rows.images.size(), 9U);
}

TEST_F(ScoreTest, HealthTellsWhatIsWrong) {
  const Health health = extract().health;
  ASSERT_EQ(health.corrupt.size(), 1U);
  EXPECT_EQ(health.corrupt.front().first, "image3.png");
  ASSERT_EQ(health.duplicates.size(), 1U);
  EXPECT_EQ(health.duplicates.front().first, "image5.png");
  EXPECT_EQ(health.duplicates.front().second, "image4.png");
  EXPECT_EQ(health.images, 9);
  EXPECT_EQ(health.planned, 10);
  EXPECT_FALSE(health.good());
  EXPECT_EQ(health.classes.at(0), 4);
  EXPECT_EQ(health.classes.at(1), 5);
}

TEST_F(ScoreTest, KeptFeaturesAreUsedForTheirImagesAlone) {
  const FeatureTable first = extract();
  const fs::path path = folder_.path() / "kept.safetensors";
  write_drift_file(path, first.rows, kId);
  const int64_t asked = extractor_.asked;
  FeatureStore known(kId, 3, 2);
  known.add(path);
  const FeatureTable again = extract(known);
  EXPECT_EQ(extractor_.asked, asked);
  EXPECT_EQ(again.reused, 9);
  EXPECT_TRUE(at::equal(first.rows.pool, again.rows.pool));
  EXPECT_EQ(again.health.duplicates, first.health.duplicates);

  write_bytes(set_ / "image7.png", png(70));
  const FeatureTable changed = extract(known);
  EXPECT_EQ(changed.reused, 8);
  EXPECT_EQ(extractor_.asked, asked + 1);
  EXPECT_FALSE(at::equal(first.rows.pool, changed.rows.pool));

  FeatureStore others({"colour", std::string(64, 'b')}, 3, 2);
  others.add(path);
  EXPECT_EQ(extract(others).reused, 0);
  FeatureStore narrower(kId, 2, 2);
  narrower.add(path);
  EXPECT_FALSE(narrower.find(first.rows.images.front().file_sha256));
}

TEST_F(ScoreTest, DamagedFeatureFilesAreRefused) {
  const fs::path path = folder_.path() / "kept.safetensors";
  write_drift_file(path, extract().rows, kId);
  const std::string whole = read_text(path);
  EXPECT_EQ(read_feature_file(path).rows.images.size(), 9U);
  for (size_t size = 0; size < whole.size(); size += 13) {
    write_text(path, whole.substr(0, size));
    EXPECT_NE(refused([&] { read_feature_file(path); }), "");
  }
  std::string flipped = whole;
  flipped[whole.size() - 3] = static_cast<char>(flipped[whole.size() - 3] ^ 1);
  write_text(path, flipped);
  EXPECT_PRED2(contains, refused([&] { read_feature_file(path); }), ": damaged");
  std::string renamed = whole;
  renamed.replace(renamed.find("pixel_sha256"), 12, "pixel_sha257");
  write_text(path, renamed);
  EXPECT_NE(refused([&] { read_feature_file(path); }), "");
}

TEST_F(ScoreTest, AnNpzHoldsTheImagesShuffled) {
  const auto source = open_image_source(set_);
  const FeatureTable table = extract();
  const fs::path path = folder_.path() / "images.npz";
  write_image_npz(path, *source, table, 3);
  const std::string first = read_text(path);
  write_image_npz(path, *source, table, 1);
  EXPECT_EQ(first, read_text(path));
  const auto images = open_image_source(path);
  ASSERT_EQ(images->content().images.size(), 9U);
  std::vector<std::string> hashes;
  std::vector<std::string> expected;
  for (size_t i = 0; i < 9; ++i) {
    hashes.push_back(load_image(*images, i, nullptr).facts.pixel_sha256);
    expected.push_back(table.rows.images[i].pixel_sha256);
  }
  EXPECT_NE(hashes, expected);
  std::sort(hashes.begin(), hashes.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(hashes, expected);

  write_bytes(set_ / "image1.png", encode_png(picture(1, 9), 9, 9));
  const FeatureTable mixed = extract();
  EXPECT_PRED2(contains, refused([&] { write_image_npz(path, *source, mixed, 2); }), "same size");
}

TEST_F(ScoreTest, TarsAreReadLikeFolders) {
  TarWriter tar;
  for (int64_t i = 0; i < 4; ++i) {
    tar.add(concat("0000", i, ".png"), png(i));
  }
  fs::create_directories(folder_.path() / "tars");
  write_bytes(folder_.path() / "tars/block-00000.tar", tar.finish());
  for (const char* name : {"tars", "tars/block-00000.tar"}) {
    const auto source = open_image_source(folder_.path() / name);
    ASSERT_EQ(source->content().images.size(), 4U);
    EXPECT_EQ(source->content().images[2].id, 2);
    EXPECT_EQ(load_image(*source, 2, nullptr).image.pixels, picture(2));
  }
}

TEST_F(ScoreTest, WhatIsNoSetIsRefused) {
  const fs::path file = folder_.path() / "x.npz";
  write_text(file, "no archive");
  EXPECT_NE(refused([&] { open_image_source(file); }), "");
  write_file_atomically(
      file,
      [](const ByteSink& sink) {
        NpzWriter npz(sink);
        npz.begin("arr_0", ElementType::kF32, {1, 1, 1, 3});
        npz.write(std::vector<std::byte>(12));
        npz.finish();
      },
      folder_.path());
  EXPECT_PRED2(contains, refused([&] { open_image_source(file); }), "8 bits");
  EXPECT_PRED2(contains, refused([&] { open_image_source(folder_.path() / "none"); }), "not found");
}

/// A run's FID and the effects of its images.
RunScores scored(const std::string& prefix, const std::vector<double>& effects, double fid) {
  RunScores run;
  run.source = prefix;
  run.images = static_cast<int64_t>(effects.size());
  run.fid.emplace();
  run.fid->value = fid;
  run.fid->effects.effects = at::tensor(effects, c10::kDouble);
  for (size_t i = 0; i < effects.size(); ++i) {
    run.names.push_back(concat(prefix, i, ".png"));
  }
  return run;
}

TEST(ScoreDifference, IsPairedByName) {
  const RunScores one = scored("", {1, -1, 2, -2, 0.5, -0.5}, 10);
  const RunDifference found =
      score_difference(one, scored("", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5));
  EXPECT_EQ(found.pairs, 6);
  EXPECT_DOUBLE_EQ(found.fid->value, 0.5);
  EXPECT_FALSE(found.fid->inside_noise);
  EXPECT_PRED2(contains, found.sentences.front(),
               "its FID minus the baseline's: +0.500 (95 % interval: +0.4");
  EXPECT_PRED2(contains, found.sentences.front(), "outside the noise, for the worse");
  const RunDifference back =
      score_difference(scored("", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5), one);
  EXPECT_PRED2(contains, back.sentences.front(),
               "its FID minus the baseline's: -0.500 (95 % interval: -0.5");
  EXPECT_PRED2(contains, back.sentences.front(), "outside the noise, for the better");
  const RunDifference apart =
      score_difference(one, scored("x", {1.01, -1, 2, -2.01, 0.5, -0.5}, 10.5));
  EXPECT_EQ(apart.pairs, 0);
  EXPECT_TRUE(apart.fid->inside_noise);
  EXPECT_PRED2(contains, apart.sentences.front(), "inside the noise");
  // A higher Inception Score is better.
  const auto inception = [](double score) {
    RunScores run = scored("", {1, -1, 2, -2, 0.5, -0.5}, 10);
    run.inception_score = run.fid;
    run.inception_score->value = score;
    return run;
  };
  EXPECT_PRED2(contains, score_difference(inception(3), inception(3.5)).sentences.back(),
               "outside the noise, for the better");
}

}  // namespace
}  // namespace lazymar
