#include "files/writable_check.h"

#include <gtest/gtest.h>

#include <string>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;
using testing::write_text;

std::string folder_refused(const fs::path& folder) {
  return refused([&] { check_output_folder(folder, "--place"); }, ErrorKind::kOutput);
}

std::string file_refused(const fs::path& file) {
  return refused([&] { check_output_file(file, "--place"); }, ErrorKind::kOutput);
}

TEST(OutputPlace, LeavesNothingBehindWhereItCanBeWritten) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(check_output_folder(folder.path(), "--place"));
  EXPECT_NO_THROW(check_output_folder(folder.path() / "a/b", "--place"));
  EXPECT_NO_THROW(check_output_file(folder.path() / "x.json", "--place"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  write_text(folder.path() / "x.json", "an earlier one");
  EXPECT_NO_THROW(check_output_file(folder.path() / "x.json", "--place"));
  EXPECT_EQ(testing::read_text(folder.path() / "x.json"), "an earlier one");
}

TEST(OutputPlace, ThatCannotBeAFolderIsRefused) {
  const TemporaryFolder folder;
  write_text(folder.path() / "file", "");
  const std::string file = (folder.path() / "file").string();
  for (const char* below : {"", "a", "a/b"}) {
    EXPECT_TRUE(
        contains(folder_refused(folder.path() / "file" / below), file + " is not a folder"));
  }
  // Not even root can create a file there.
  const std::string message = folder_refused("/proc/x/y");
  EXPECT_TRUE(contains(message, "--place /proc/x/y: cannot be written"));
  EXPECT_TRUE(contains(message, "in /proc: "));
  EXPECT_TRUE(contains(message, "choose a writable path"));
}

TEST(OutputPlace, ThatCannotBeAFileIsRefused) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(file_refused(folder.path() / "none/x.json"), "none does not exist"));
  EXPECT_TRUE(contains(file_refused(folder.path()), "is not a file"));
  EXPECT_TRUE(contains(file_refused("/dev/full/x.json"), "/dev/full is not a folder"));
  EXPECT_TRUE(contains(file_refused("/dev/null"), "is not a file"));
  EXPECT_TRUE(contains(file_refused("/proc/x.json"), "in /proc: "));
}

TEST(OutputPlace, MayBeNamedWithoutAFolder) {
  EXPECT_NO_THROW(check_output_folder("", "--place"));
  EXPECT_NO_THROW(check_output_file("output_place_test.json", "--place"));
  EXPECT_FALSE(fs::exists("output_place_test.json"));
}

}  // namespace
}  // namespace lazymar
