#include "run/head_recording.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/head_folder.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::head_header;
using testing::head_tensors;
using testing::refused;
using testing::TemporaryFolder;

double numbered(int64_t token, int64_t step, int64_t i) {
  return static_cast<double>(100 * token + 10 * step + i);
}

TEST(HeadRecording, IsReadBack) {
  const TemporaryFolder folder;
  for (const int64_t image : {12, 3}) {
    const HeadRecordingHeader header = head_header({4, 3}, image);
    write_head_recording(folder.path(), header, head_tensors(header, numbered, numbered));
  }
  const std::vector<ImageHeadRecording> images = read_head_recordings(folder.path());
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].header.image, 3);
  EXPECT_EQ(images[1].header.rows, (std::vector<int64_t>{7, 6}));
  EXPECT_EQ(images[1].header.decoding_steps, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(images[1].header.timesteps[1], (std::vector<int64_t>{2, 1, 0}));
  EXPECT_EQ(images[1].mlp.shape(), (std::vector<int64_t>{7, 2, 2}));
  std::vector<float> values(2);
  images[1].mlp.read(4 + 2, 2, values);
  EXPECT_EQ(values, (std::vector<float>{122, 123})) << "token 1, step 2, block 1";
  images[1].eps.read(3, 0, values);
  EXPECT_EQ(values, (std::vector<float>{30, 31})) << "token 0, step 3";
}

TEST(HeadRecording, BfloatsAreReadToo) {
  const TemporaryFolder folder;
  const HeadRecordingHeader header = head_header({2, 2});
  auto tensors = head_tensors(header, numbered, numbered);
  const std::vector<uint16_t> halves(16, 0x3fc0);  // 1.5
  tensors["mlp"] = {
      ElementType::kBF16, {4, 2, 2}, [&] { return std::as_bytes(std::span(halves)); }};
  write_head_recording(folder.path(), header, tensors);
  std::vector<float> values(4);
  read_head_recordings(folder.path()).front().mlp.read(3, 0, values);
  EXPECT_EQ(values, std::vector<float>(4, 1.5F));
}

TEST(HeadRecording, FoldersOfSeveralRunsAreRefused) {
  const TemporaryFolder folder;
  const auto write = [&](const HeadRecordingHeader& header) {
    write_head_recording(folder.path(), header, head_tensors(header, numbered, numbered));
  };
  EXPECT_TRUE(contains(refused([&] { read_head_recordings(folder.path()); }), "no features"));
  write(head_header({4, 3}, 0));
  HeadRecordingHeader other = head_header({4, 3}, 1);
  other.settings["num_iter"] = 5;
  write(other);
  const auto message = [&] { return refused([&] { read_head_recordings(folder.path()); }); };
  EXPECT_TRUE(contains(message(), "num_iter 4 there, 5 now"));
  write(head_header({4, 4}, 1));
  EXPECT_TRUE(contains(message(), "timesteps"));
  other = head_header({4, 3}, 1);
  other.rows = {7, 5};
  write(other);
  EXPECT_TRUE(contains(message(), "tokens"));
  write(head_header({4, 3}, 1));
  EXPECT_EQ(read_head_recordings(folder.path()).size(), 2U) << "control";
}

TEST(HeadRecording, DamagedFilesAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / head_recording_name(0);
  EXPECT_EQ(path.filename(), "head.00000.safetensors");
  const auto message = [&] { return refused([&] { read_head_recording(path); }); };
  const auto with = [&](auto change) {
    HeadRecordingHeader header = head_header({4, 3});
    auto tensors = head_tensors(header, numbered, numbered);
    change(header, tensors);
    write_head_recording(folder.path(), header, tensors);
    return message();
  };
  using Tensors = std::map<std::string, TensorSource>;
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors&) { h.rows = {1}; }),
                       "not describe recorded tokens"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors&) {
                         h.rows = {1, -1};
                       }),
                       "not describe recorded tokens"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors&) {
                         h.timesteps[0] = {0, 1};
                       }),
                       "not describe recorded tokens"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors&) {
                         h.timesteps[1] = {5, 4};
                       }),
                       "not F32 or BF16 with 6 evaluations"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader&, Tensors& t) { t.erase("v"); }), "missing v"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors& t) {
                         t["mlp"] = testing::invented(h, {4}, numbered);
                       }),
                       "mlp is F32 [7, 4], not F32 or BF16"));
  EXPECT_TRUE(contains(with([](HeadRecordingHeader& h, Tensors& t) {
                         t["eps"] = testing::invented(h, {2}, [](auto...) { return 0. / 0.; });
                       }),
                       "eps holds"));
  write_safetensors(path, {}, {{"lazymar_head", "[]"}});
  EXPECT_TRUE(contains(message(), "what was recorded"));
  write_safetensors(path, {}, {});
  EXPECT_TRUE(contains(message(), "no features of the head"));
}

}  // namespace
}  // namespace lazymar
