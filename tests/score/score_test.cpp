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

TEST_F(ScoreTest, PicturesThatAreNotReadBelongToTheSetAndAreNamed) {
  write_text(set_ / "sub" / "old.gif", "GIF89a");
  write_text(set_ / "phone.HEIC", std::string("\0\0\0\x18", 4) + "ftypheic");
  const FeatureTable table = extract();
  ASSERT_EQ(table.health.corrupt.size(), 3U);
  EXPECT_EQ(table.health.planned, 12);
  const std::string text = health_text("set", table);
  EXPECT_TRUE(contains(text, "GIF is not read; save PNG"));
  EXPECT_TRUE(contains(text, "sub/old.gif"));
  EXPECT_TRUE(contains(text, "HEIF is not read"));
}

TEST_F(ScoreTest, ControlCharactersInNamesAreMadeVisible) {
  write_text(set_ / "evil\x1b[2J\n.png", "no picture");
  const std::string text = health_text("set", extract());
  EXPECT_TRUE(contains(text, "evil\\x1b[2J\\x0a.png"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(ScoreTest, AFolderOfSeveralRunsIsNoSetUnlessMerged) {
  const fs::path runs = folder_.path() / "runs";
  for (const char* name : {"a", "b"}) {
    fs::create_directories(runs / name / "info");
    write_text(runs / name / "info/manifest.json", "{}");
    write_bytes(runs / name / "info/grid.png", png(50));
    write_bytes(runs / name / "00000.png", png(name[0]));
  }
  const auto said = [](const fs::path& path, RunsBelow below) {
    return refused([&] { open_image_source(path, below); });
  };
  EXPECT_PRED2(contains, said(runs, RunsBelow::kOfferMerge),
               "holds 2 run folders: name one (a, b), or score all images as one set with --merge");
  EXPECT_EQ(said(runs, RunsBelow::kRefused).find("merge"), std::string::npos);
  const auto source = open_image_source(runs, RunsBelow::kMerged);
  ASSERT_EQ(source->content().images.size(), 2U);
  EXPECT_EQ(source->content().images[1].name, "b/00000.png");
  write_text(runs / "b/block-00000.tar", "");
  EXPECT_PRED2(contains, said(runs, RunsBelow::kMerged), "in tars");
  fs::remove_all(runs / "b");
  EXPECT_PRED2(contains, said(runs, RunsBelow::kRefused), "holds 1 run folder: name it (a)");
}

TEST_F(ScoreTest, ATarOfSeveralRunsIsNoSetUnlessMerged) {
  const auto tar_of = [&](const std::vector<std::string>& runs) {
    TarWriter tar;
    for (const std::string& run : runs) {
      tar.add(run + "/00000.png", png(run.back()));
      tar.add(run + "/info/manifest.json", png(0));
      tar.add(run + "/info/grid.png", png(1));
    }
    return tar.finish();
  };
  const fs::path folder = folder_.path() / "archive";
  fs::create_directories(folder);
  write_bytes(folder / "runs.tar", tar_of({"./all/a", "./all/b"}));
  for (const fs::path& path : {folder, folder / "runs.tar"}) {
    EXPECT_PRED2(contains, refused([&] { open_image_source(path, RunsBelow::kOfferMerge); }),
                 "holds 2 run folders: name one (./all/a, ./all/b), or score all");
    EXPECT_EQ(open_image_source(path, RunsBelow::kMerged)->content().images.size(), 2U);
  }
  write_bytes(folder / "runs.tar", tar_of({"a"}));
  EXPECT_EQ(open_image_source(folder)->content().images.size(), 1U) << "control: one run";
  write_bytes(folder / "more.tar", tar_of({"b"}));
  EXPECT_PRED2(contains, refused([&] { open_image_source(folder); }), "holds 2 run folders");
}

TEST_F(ScoreTest, WhatADownloadLeavesIsSaid) {
  for (const char* name : {"x.tar", "x.png", "x.zip", "x.npz", "x"}) {
    const fs::path file = folder_.path() / name;
    write_text(file, "version https://git-lfs.github.com/spec/v1\n");
    EXPECT_PRED2(contains, refused([&] { open_image_source(file); }), "git lfs pull");
    write_text(file, "<!DOCTYPE html><html>quota</html>");
    EXPECT_PRED2(contains, refused([&] { open_image_source(file); }), "a web page");
  }
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
        npz.begin("arr_0", ElementType::kF32, {1, 2, 2, 2});
        npz.write(std::vector<std::byte>(32));
        npz.finish();
      },
      folder_.path());
  EXPECT_PRED2(contains, refused([&] { open_image_source(file); }), "number of channels");
  EXPECT_PRED2(contains, refused([&] { open_image_source(folder_.path() / "none"); }), "not found");
}

}  // namespace
}  // namespace lazymar
