#include "run/drift.h"

#include <gtest/gtest.h>

#include "support/drift_folder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using testing::small_header;
using testing::TemporaryFolder;
using testing::write_invented;

double numbered(int64_t from, int64_t to, int64_t row) {
  return static_cast<double>(32 * to + 16 * from + row) / 16;
}

TEST(Features, AreReadBack) {
  const TemporaryFolder folder;
  write_invented(folder.path(), small_header(12), numbered, [](auto...) { return 0.5; });
  write_invented(
      folder.path(), small_header(3), [](auto...) { return 2; }, [](auto...) { return 0; });
  const std::vector<ImageDrift> images = read_drift(folder.path());
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].header.image, 3);
  EXPECT_EQ(images[1].header.masked, small_header().masked);
  EXPECT_EQ(images[1].header.settings.at("model"), "demo");
  for (int64_t to = 1; to < 4; ++to) {
    for (int64_t from = 0; from < to; ++from) {
      for (int64_t row = 0; row < 10; ++row) {
        EXPECT_EQ(images[1].changes.at("output").at(from, to, row), numbered(from, to, row));
      }
    }
  }
  EXPECT_EQ(images[1].changes.at("difference").at(0, 1, 9), 0.5);
}

TEST(Features, FoldersOfSeveralRunsAreRefused) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(refused([&] { read_drift(folder.path() / "none"); }), "no recorded"));
  write_invented(folder.path(), small_header(0), numbered);
  DriftHeader other = small_header(1);
  other.settings["num_iter"] = 5;
  write_invented(folder.path(), other, numbered);
  EXPECT_TRUE(contains(refused([&] { read_drift(folder.path()); }), "num_iter 4 there, 5 now"));
  other = small_header(1);
  other.masked = {8, 6, 4, 1, 0};
  write_invented(folder.path(), other, numbered);
  EXPECT_TRUE(contains(refused([&] { read_drift(folder.path()); }), "plan"));
  write_invented(folder.path(), small_header(1), numbered, numbered);
  EXPECT_TRUE(contains(refused([&] { read_drift(folder.path()); }), "tensors differ"));
}

TEST(Features, DamagedFilesAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / drift_file_name(0);
  const auto message = [&] { return refused([&] { read_image_drift(path); }); };
  const auto with = [&](auto change) {
    DriftHeader header = small_header();
    change(header);
    write_invented(folder.path(), header, numbered);
    return message();
  };
  EXPECT_TRUE(contains(with([](DriftHeader& h) {
                         h.masked = {6, 8, 3, 1, 0};
                       }),
                       "not describe a decoding"));
  EXPECT_TRUE(contains(with([](DriftHeader& h) {
                         h.masked = {8, 6, 3, 1, 1};
                       }),
                       "not describe a decoding"));
  EXPECT_TRUE(contains(with([](DriftHeader& h) { h.rows = 7; }), "not describe a decoding"));
  EXPECT_TRUE(
      contains(with([](DriftHeader& h) { h.settings = nullptr; }), "not describe a decoding"));
  for (const double impossible : {-1.0, 1.0 / 0.0, 0.0 / 0.0}) {
    write_invented(folder.path(), small_header(), [&](auto...) { return impossible; });
    EXPECT_TRUE(contains(message(), "not a valid change"));
  }
  std::map<std::string, TensorSource> changes{
      {"output", testing::invented(small_header(), numbered)}};
  write_drift(folder.path(), small_header(), changes);
  EXPECT_TRUE(contains(message(), "missing values"));
  DriftHeader longer = small_header();
  longer.masked = {8, 6, 3, 2, 1, 0};
  changes.emplace("values", testing::invented(longer, numbered));
  write_drift(folder.path(), small_header(), changes);
  EXPECT_TRUE(contains(message(), "values is BF16 [10, 10], not BF16 [6, 10]"));
  write_safetensors(path, changes, {{"lazymar_features", "[]"}});
  EXPECT_TRUE(contains(message(), "what was recorded"));
  write_safetensors(path, changes, {});
  EXPECT_TRUE(contains(message(), "no recorded features"));
  testing::write_text(path, "rubbish");
  EXPECT_FALSE(message().empty());
}

}  // namespace
}  // namespace lazymar
