#include "formats/tar.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "support/bad_file.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::as_file;
using testing::contains;
using testing::refused;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string archive() {
  TarWriter tar;
  tar.add("00000.png", as_file("first"));
  tar.add("00001.png", as_file(std::string(1024, 'x')));
  tar.add("empty", {});
  return text_of(tar.finish());
}

TEST(Tar, WhatWasWrittenIsRead) {
  const std::string file = archive();
  const auto entries = read_tar(as_file(file), "file");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "00000.png");
  EXPECT_EQ(text_of(entries[0].content), "first");
  EXPECT_EQ(entries[1].content.size(), 1024U);
  EXPECT_TRUE(entries[2].content.empty());
}

TEST(Tar, TarReadsIt) {
  if (std::system("tar --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no tar here";
  }
  const testing::TemporaryFolder folder;
  testing::write_text(folder.path() / "a.tar", archive());
  const std::string command =
      "cd '" + folder.path().string() + "' && tar -xf a.tar && tar -tf a.tar > list";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(testing::read_text(folder.path() / "list"), "00000.png\n00001.png\nempty\n");
  EXPECT_EQ(testing::read_text(folder.path() / "00000.png"), "first");
}

TEST(Tar, ArchivesOfOtherProgramsAreRead) {
  if (std::system("tar --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no tar here";
  }
  const testing::TemporaryFolder folder;
  const std::string long_name = std::string(120, 'n') + ".png";
  std::filesystem::create_directory(folder.path() / "set");
  testing::write_text(folder.path() / "set" / long_name, "long");
  testing::write_text(folder.path() / "set/short.png", "short");
  for (const char* format : {"gnu", "pax", "ustar"}) {
    const bool fits = std::string(format) != "ustar";  // a name of ustar has 100 characters
    const std::string command = concat("cd ", folder.path().string(), " && tar --format=", format,
                                       " -cf a.tar ", fits ? "set" : "set/short.png");
    ASSERT_EQ(std::system(command.c_str()), 0);
    const std::string tar = testing::read_text(folder.path() / "a.tar");
    std::map<std::string, size_t> sizes;
    for (const TarEntry& entry : read_tar(std::as_bytes(std::span(tar)), "a.tar")) {
      sizes[entry.name] = entry.content.size();
    }
    EXPECT_EQ(sizes.size(), fits ? 2U : 1U) << format;
    EXPECT_EQ(sizes["set/short.png"], 5U) << format;
    EXPECT_TRUE(!fits || sizes["set/" + long_name] == 4) << format;
  }
  std::filesystem::create_symlink("short.png", folder.path() / "set/link.png");
  ASSERT_EQ(std::system(concat("cd ", folder.path().string(), " && tar -cf a.tar set").c_str()), 0);
  const std::string tar = testing::read_text(folder.path() / "a.tar");
  EXPECT_TRUE(testing::contains(
      testing::refused([&] { read_tar(std::as_bytes(std::span(tar)), "a.tar"); }), "a link"));
}

TEST(Tar, DamageIsRefusedWithItsPlace) {
  const std::string whole = archive();
  const auto message = [](const std::string& file) {
    return refused([&] { read_tar(as_file(file), "file"); });
  };
  EXPECT_TRUE(contains(message(""), "file: byte 0: truncated tar archive"));
  EXPECT_TRUE(
      contains(message(whole.substr(0, 1000)), "file: byte 512: a file extends past the end"));
  EXPECT_TRUE(contains(message(whole.substr(0, 1024)), "file: byte 1024: truncated tar"));
  std::string flipped = whole;
  flipped[1024] ^= 1;
  EXPECT_TRUE(contains(message(flipped), "file: byte 1024: damaged tar header"));
}

TEST(Tar, LongNamesAreRefused) {
  TarWriter tar;
  EXPECT_FALSE(refused([&] { tar.add(std::string(100, 'x'), {}); }, ErrorKind::kInternal).empty());
}

}  // namespace
}  // namespace lazymar
