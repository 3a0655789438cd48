#include "files/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::read_text;
using testing::refused;
using testing::TemporaryFolder;

size_t count_files(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.txt";
  write_text_atomically(path, "one");
  write_text_atomically(path, "two and more");
  EXPECT_EQ(read_text(path), "two and more");
  EXPECT_EQ(count_files(folder.path()), 1U);
}

TEST(AtomicFile, UsesTheScratchFolder) {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes(3, std::byte{65});
  const std::string message = refused(
      [&] { write_file_atomically(folder.path() / "x.png", bytes, folder.path() / "none"); },
      ErrorKind::kOutput);
  EXPECT_TRUE(contains(message, "x.png"));
  EXPECT_EQ(count_files(folder.path()), 0U);
}

/// While this object exists, files cannot grow beyond `bytes`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &old_); }

 private:
  rlimit old_{};
};

TEST(AtomicFile, AFailedWriteKeepsTheOldFileAndLeavesNothing) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.txt";
  write_text_atomically(path, "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message =
        refused([&] { write_text_atomically(path, std::string(5000, 'x')); }, ErrorKind::kOutput);
  }
  EXPECT_TRUE(contains(message, "cannot write"));
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(count_files(folder.path()), 1U);
}

TEST(AtomicFile, PiecesFollowEachOtherAndAFailureLeavesNothing) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x";
  const auto pieces = [](const ByteSink& write) {
    for (const std::string piece : {"one", "two"}) {
      write(std::as_bytes(std::span(piece)));
    }
  };
  write_file_atomically(path, pieces, folder.path());
  EXPECT_EQ(testing::read_text(path), "onetwo");
  const auto failing = [&](const ByteSink& write) {
    pieces(write);
    throw usage_error("no more");
  };
  testing::refused([&] { write_file_atomically(path, failing, folder.path()); });
  EXPECT_EQ(testing::read_text(path), "onetwo");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace lazymar
