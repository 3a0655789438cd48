#include "run/image_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "formats/png.h"
#include "formats/tar.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

/// A run folder with one shard of two images in it.
class ImageFilesTest : public ::testing::TestWithParam<bool> {
 protected:
  ImageFilesTest() {
    fs::create_directories(folder_.path() / "info/unfinished");
    for (int64_t id = 0; id < 2; ++id) {
      std::vector<uint8_t> pixels(size_t{8} * 8 * 3, static_cast<uint8_t>(50 * id));
      pixels[7] = 9;
      images_.push_back({id, encode_png(pixels, 8, 8)});
    }
    record_.images = files().store(0, images_, nullptr);
  }

  ImageFiles files(Durability durability = Durability::kShard) const {
    return {folder_.path(), GetParam(), durability, 0};
  }
  fs::path file() const { return folder_.path() / (GetParam() ? "block-00000.tar" : "00001.png"); }
  std::string damage(bool deep) const { return files().damage(record_, deep); }

  TemporaryFolder folder_;
  std::vector<EncodedImage> images_;
  ShardRecord record_;
};

INSTANTIATE_TEST_SUITE_P(Layouts, ImageFilesTest, ::testing::Values(false, true),
                         [](const auto& tested) { return tested.param ? "tar" : "files"; });

TEST_P(ImageFilesTest, WhatIsStoredIsFoundAgain) {
  for (const Durability durability : {Durability::kNone, Durability::kShard, Durability::kFile}) {
    EXPECT_EQ(files(durability).store(0, images_, nullptr), record_.images);
    EXPECT_EQ(damage(true), "");
    EXPECT_EQ(read_image(folder_.path(), GetParam(), record_.shard, 1), images_[1].png);
    EXPECT_TRUE(fs::is_empty(folder_.path() / "info/unfinished"));
  }
}

TEST_P(ImageFilesTest, EveryDamageIsSeen) {
  const std::string whole = read_text(file());
  const size_t end = whole.find("IEND", whole.find("00001.png") + 1) + 8;
  const auto with = [&](const std::string& content) {
    write_text(file(), content);
    return std::pair(damage(false).empty(), damage(true).empty());
  };
  const std::pair seen_at_once(false, false);
  EXPECT_EQ(with(whole), std::pair(true, true));
  EXPECT_EQ(with(whole.substr(0, whole.size() / 2)), seen_at_once);
  EXPECT_EQ(with(std::string(whole.size(), '\0')), seen_at_once);
  EXPECT_EQ(with(""), seen_at_once);
  std::string flipped = whole;
  flipped[end - 30] ^= 4;
  EXPECT_EQ(with(flipped), std::pair(true, false));
  fs::remove(file());
  EXPECT_FALSE(damage(false).empty());
}

TEST_P(ImageFilesTest, AnEarlierProcessLeavesNoDebris) {
  write_text(folder_.path() / "info/unfinished/0.00007.png.part", "x");
  write_text(folder_.path() / "info/unfinished/12.00007.png.part", "x");
  const ImageFiles again = files();
  EXPECT_FALSE(fs::exists(folder_.path() / "info/unfinished/0.00007.png.part"));
  EXPECT_TRUE(fs::exists(folder_.path() / "info/unfinished/12.00007.png.part"));
}

TEST_P(ImageFilesTest, AFullDiskIsAnErrorAndKeepsWhatWasThere) {
  const ImageFiles full = files();
  for (const char* name : {"0.00001.png.part", "0.block-00000.tar.part"}) {
    fs::create_symlink("/dev/full", folder_.path() / "info/unfinished" / name);
  }
  const std::string message =
      testing::refused([&] { full.store(0, images_, nullptr); }, ErrorKind::kOutput);
  EXPECT_TRUE(contains(message, "No space"));
  fs::remove(folder_.path() / "info/unfinished/0.00001.png.part");
  fs::remove(folder_.path() / "info/unfinished/0.block-00000.tar.part");
  EXPECT_TRUE(fs::is_empty(folder_.path() / "info/unfinished"));
  EXPECT_EQ(damage(true), "");  // existing files stay
}

TEST(ImageFiles, UndamagedOnesStayUntouched) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "info/unfinished");
  const ImageFiles files(folder.path(), false, Durability::kNone, 0);
  std::vector<EncodedImage> images;
  for (int64_t id = 0; id < 3; ++id) {
    images.push_back({id, encode_png(std::vector<uint8_t>(12, static_cast<uint8_t>(id)), 2, 2)});
  }
  ShardRecord record;
  record.images = files.store(0, images, nullptr);
  const auto inode = [&](int64_t id) {
    struct stat status {};
    EXPECT_EQ(::stat((folder.path() / image_name(id)).c_str(), &status), 0);
    return status.st_ino;
  };
  const auto first = inode(0);
  const std::string whole = read_text(folder.path() / image_name(1));
  write_text(folder.path() / image_name(1), "broken");
  const fs::path kept = folder.path() / "kept";
  fs::create_hard_link(folder.path() / image_name(1), kept);  // so that its inode is not reused
  const auto second = inode(1);
  files.store(0, images, &record);
  EXPECT_EQ(inode(0), first);
  EXPECT_NE(inode(1), second);
  EXPECT_EQ(read_text(folder.path() / image_name(1)), whole);
}

TEST(ImageNames, AreReadBackAndOthersAreNone) {
  EXPECT_EQ(image_name(7), "00007.png");
  EXPECT_EQ(image_name(123456), "123456.png");
  EXPECT_EQ(image_id("00007.png"), 7);
  EXPECT_EQ(image_id("123456.png"), 123456);
  for (const char* name : {"7.png", "000007.png", "00007.jpg", "x.png", "-0007.png", ".png", ""}) {
    EXPECT_EQ(image_id(name), std::nullopt) << name;
  }
  EXPECT_TRUE(is_archive_name("block-00042.tar"));
  for (const char* name :
       {"block-00042", "block-00042.tar.part", "x-block-00042.tar", ".tar", ""}) {
    EXPECT_FALSE(is_archive_name(name)) << name;
  }
}

}  // namespace
}  // namespace lazymar
