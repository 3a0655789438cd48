#include "formats/zip_archive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/bad_file.h"
#include "support/temporary_folder.h"
#include "support/torch_files.h"

namespace lazymar {
namespace {

using testing::as_file;
using testing::BadFile;
using testing::bytes_of;
using testing::contains;
using testing::patched;
using testing::refused;
using testing::zip_of;

constexpr uint16_t kDescriptorFollows = 8;
const std::string kNothing(4, '\0');

/// A file as PyTorch writes it: ZIP64 end records, sizes after the data.
std::string torch_file() {
  return testing::read_text(std::string(LAZYMAR_SOURCE_DIR) + "/tests/data/checkpoints/vae.ckpt");
}

std::string two_entries() {
  return zip_of({{.name = "a", .content = "first"}, {.name = "b", .content = "second"}});
}

TEST(ZipArchive, FindsWhatWasStored) {
  const std::string file = two_entries();
  const auto entries = read_zip_directory(as_file(file), "file");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(file.substr(entries[1].position, entries[1].bytes.size()), "second");
  EXPECT_NO_THROW(check_crc(entries[1], "file"));
  EXPECT_TRUE(looks_like_zip(as_file(file)));
  EXPECT_FALSE(looks_like_zip(as_file(kNothing)));
}

TEST(ZipArchive, AcceptsWhatTheFormatAllows) {
  EXPECT_TRUE(read_zip_directory(as_file(zip_of({})), "file").empty());
  const std::string comment = patched(two_entries(), -2, bytes_of<uint16_t>(3)) + "hey";
  EXPECT_EQ(read_zip_directory(as_file(comment), "file").size(), 2U);
  const std::string later = zip_of({{.name = "a",
                                     .content = "x",
                                     .flags = kDescriptorFollows,
                                     .original = 1,
                                     .local_crc = 0,
                                     .local_stored = 1}});
  refused([&] { read_zip_directory(as_file(later), "file"); });  // half a descriptor
  const std::string in64 =
      zip_of({{.name = "a",
               .content = "xyz",
               .stored = 0xffffffff,
               .original = 3,
               .extra = bytes_of<uint16_t>(1) + bytes_of<uint16_t>(8) + bytes_of<uint64_t>(3)}});
  EXPECT_EQ(read_zip_directory(as_file(in64), "file").at(0).bytes.size(), 3U);
  EXPECT_GT(read_zip_directory(as_file(torch_file()), "file").size(), 5U);
}

TEST(ZipArchive, ADamagedEntryIsFoundByItsChecksum) {
  std::string file = two_entries();
  file[file.find("second")] ^= 1;
  const auto entries = read_zip_directory(as_file(file), "file");
  EXPECT_NO_THROW(check_crc(entries[0], "file"));
  const std::string message = refused([&] { check_crc(entries[1], "file"); });
  EXPECT_TRUE(contains(message, "\"b\" is damaged"));
  EXPECT_TRUE(contains(message, "file: byte "));
}

std::vector<BadFile> bad_archives() {
  const std::string good = two_entries();
  const std::string torch = torch_file();
  const auto one = [](testing::ZipSpec spec) {
    spec.name = spec.name.empty() ? "a" : spec.name;
    spec.content = "content";
    return zip_of({spec});
  };
  return {
      {"Empty", "", "too short"},
      {"NoEnd", std::string(100, 'x'), "no end-of-central-directory record"},
      {"Truncated", good.substr(0, good.size() - 1), "no end-of-central-directory record"},
      {"TrailingBytes", good + "x", "no end-of-central-directory record"},
      {"SecondDisk", patched(good, -18, bytes_of<uint16_t>(1)), "multi-part zip archives"},
      {"CountsDisagree", patched(good, -14, bytes_of<uint16_t>(1)), "multi-part zip archives"},
      {"DirectoryElsewhere", patched(good, -6, bytes_of<uint32_t>(1)), "does not end where"},
      {"DirectoryPastTheEnd", patched(good, -6, bytes_of<uint32_t>(1 << 30)), "does not end where"},
      {"DirectoryTooLong", patched(good, -10, bytes_of<uint32_t>(1 << 30)), "does not end where"},
      {"MoreEntriesThanRoom",
       patched(good, -14, bytes_of<uint16_t>(9999) + bytes_of<uint16_t>(9999)), "has room for 2"},
      {"FewerEntries", patched(good, -14, bytes_of<uint16_t>(1) + bytes_of<uint16_t>(1)),
       "bytes after the last entry"},
      {"NoDirectoryEntry", patched(good, static_cast<int64_t>(good.find("PK\1\2")), "XX"),
       "no zip directory entry"},
      {"NameRunsOut", patched(good, static_cast<int64_t>(good.rfind("PK\1\2")) + 28, "\xff\xff"),
       "remain: truncated?"},
      {"Encrypted", one({.flags = 1}), "is encrypted"},
      {"Compressed", one({.method = 8}), "is compressed (method 8)"},
      {"TwoSizes", one({.original = 9}), "has two sizes"},
      {"TooLong", one({.stored = 1000, .original = 1000, .local_stored = 1000}),
       "runs into the zip directory"},
      {"DuplicateName", zip_of({{.name = "a", .content = "x"}, {.name = "a", .content = "y"}}),
       "occurs twice"},
      {"LocalHeaderElsewhere", one({.local = 3}), "no local header"},
      {"LocalHeaderPastTheEnd", one({.local = 1 << 30}), "past the end"},
      {"LocalNameDiffers", one({.local_name = "b"}), "disagrees with the directory"},
      {"LocalCrcDiffers", one({.local_crc = 1}), "disagrees with the directory"},
      {"LocalFlagsDiffer", patched(good, 6, "\x08"), "disagrees with the directory"},
      {"SameData",
       zip_of({{.name = "a", .content = "x"},
               {.name = "b", .content = "y", .local = 0, .local_name = "a"}}),
       "disagrees with the directory"},
      {"Overlap",
       zip_of({{.name = "a", .content = zip_of({{.name = "b", .content = "y"}}).substr(0, 32)},
               {.name = "b", .content = "y", .local = 31}}),
       "zip entries overlap"},
      {"No64", one({.stored = 0xffffffff}), "has no ZIP64 field"},
      {"Short64",
       one({.stored = 0xffffffff, .extra = bytes_of<uint16_t>(1) + bytes_of<uint16_t>(0)}),
       "is too short"},
      {"ExtraRunsOut", one({.extra = bytes_of<uint16_t>(7) + bytes_of<uint16_t>(99)}),
       "runs past its end"},
      {"Locator64Disks", patched(torch, -22 - 4, bytes_of<uint32_t>(2)), "multi-part zip archives"},
      {"Locator64Points", patched(torch, -22 - 12, bytes_of<uint64_t>(~uint64_t{0})),
       "not in front of its locator"},
      {"End64Missing", patched(torch, -98, "XX"), "no ZIP64 end record"},
      {"End64Disagrees", patched(torch, -14, bytes_of<uint16_t>(1) + bytes_of<uint16_t>(1)),
       "end records of the zip archive disagree"},
      {"End64Counts", patched(torch, -98 + 24, bytes_of<uint64_t>(1)), "multi-part zip archives"},
      {"End64Overflow",
       patched(patched(torch, -98 + 40, bytes_of<uint64_t>(~uint64_t{0})), -10,
               bytes_of<uint32_t>(0xffffffff)),
       "does not end where"},
  };
}

class ZipArchiveRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(ZipArchiveRefuses, WithTheReason) {
  testing::expect_refused(
      GetParam(), [](const std::string& file) { read_zip_directory(as_file(file), "file"); });
}

INSTANTIATE_TEST_SUITE_P(ZipArchive, ZipArchiveRefuses, ::testing::ValuesIn(bad_archives()),
                         testing::bad_file_name);

TEST(ZipArchive, EveryTruncationIsRefused) {
  const std::string whole = torch_file();
  for (size_t length = 0; length < whole.size(); ++length) {
    refused([&] { read_zip_directory(as_file(whole.substr(0, length)), "file"); });
  }
}

}  // namespace
}  // namespace lazymar
