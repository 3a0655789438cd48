#include "score/image_array.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "files/atomic_file.h"
#include "formats/npz.h"
#include "score/image_loader.h"
#include "score/image_source.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;
using testing::write_text;

/// Images of an array, made of values by (image, y, x, channel).
class ArrayTest : public ::testing::Test {
 protected:
  static constexpr int64_t kImages = 2, kHeight = 4, kWidth = 5;

  fs::path write(const at::Tensor& array, ElementType type, const char* name = "arr_0") const {
    const at::Tensor rows = array.contiguous();
    fs::path path = folder_.path() / "a.npz";
    write_file_atomically(
        path,
        [&](const ByteSink& sink) {
          NpzWriter npz(sink);
          npz.begin(name, type, rows.sizes().vec());
          npz.write({static_cast<const std::byte*>(rows.const_data_ptr()), rows.nbytes()});
          npz.finish();
        },
        folder_.path());
    return path;
  }

  void expect_images(const fs::path& path, const at::Tensor& expected) const {
    const auto source = open_image_source(path);
    ASSERT_EQ(source->content().images.size(), static_cast<size_t>(kImages));
    for (int64_t i = 0; i < kImages; ++i) {
      const LoadedImage image = load_image(*source, static_cast<size_t>(i), nullptr);
      EXPECT_EQ(image.image.width, kWidth);
      const at::Tensor pixels = at::tensor(image.image.pixels, c10::kByte);
      EXPECT_TRUE(pixels.equal(expected[i].reshape({-1}))) << i;
    }
  }

  at::Tensor levels_ = at::arange(kImages * kHeight * kWidth * 3, c10::kLong)
                           .mul(7)
                           .remainder(256)
                           .to(c10::kByte)
                           .view({kImages, kHeight, kWidth, 3});
  TemporaryFolder folder_;
};

TEST_F(ArrayTest, ValuesThatAreClearAreRead) {
  expect_images(write(levels_, ElementType::kU8), levels_);
  const at::Tensor floats = levels_.to(c10::kFloat);
  expect_images(write(floats / 255, ElementType::kF32), levels_);
  expect_images(write(floats / 127.5 - 1, ElementType::kF32), levels_);
  expect_images(write(floats, ElementType::kF32), levels_);
  expect_images(write((floats / 255).to(c10::kDouble), ElementType::kF64), levels_);
  expect_images(write(levels_.to(c10::kLong), ElementType::kI64), levels_);
  expect_images(write((floats / 255).to(c10::kHalf), ElementType::kF16), levels_);
}

TEST_F(ArrayTest, LayoutsThatAreClearAreRead) {
  expect_images(write(levels_.permute({0, 3, 1, 2}), ElementType::kU8), levels_);
  expect_images(write(levels_, ElementType::kU8, "samples"), levels_);
  const at::Tensor grey = levels_.narrow(3, 0, 1);
  expect_images(write(grey, ElementType::kU8), grey.expand_as(levels_).contiguous());
  const at::Tensor alpha = at::cat({levels_, grey}, 3);
  expect_images(write(alpha, ElementType::kU8), levels_);
}

TEST_F(ArrayTest, WhatIsNotUsedIsSaidOnce) {
  const fs::path path = folder_.path() / "labels.npz";
  const at::Tensor alpha = at::cat({levels_, levels_.narrow(3, 0, 1)}, 3).contiguous();
  write_file_atomically(
      path,
      [&](const ByteSink& sink) {
        NpzWriter npz(sink);
        npz.begin("arr_0", ElementType::kU8, alpha.sizes().vec());
        npz.write({static_cast<const std::byte*>(alpha.const_data_ptr()), alpha.nbytes()});
        npz.begin("arr_1", ElementType::kU8, {kImages});
        npz.write(std::vector<std::byte>(kImages));
        npz.finish();
      },
      folder_.path());
  for (const bool first : {true, false}) {
    ::testing::internal::CaptureStderr();
    (void)open_image_source(path);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("not used: \"arr_1\"") != std::string::npos, first) << said;
    EXPECT_EQ(said.find("alpha, is not used") != std::string::npos, first) << said;
  }
  ::testing::internal::CaptureStderr();
  (void)open_image_source(write(levels_, ElementType::kU8));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

/// A bare .npy, by its header and bytes.
std::string npy(const std::string& type, bool column_major, const at::Tensor& bytes) {
  std::string text =
      concat("{'descr': '", type, "', 'fortran_order': ", column_major ? "True" : "False",
             ", 'shape': (2, 4, 5, 3), }\n");
  const auto size = static_cast<char>(text.size());
  return std::string("\x93NUMPY\x01", 7) + '\0' + size + '\0' + text +
         std::string(static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes());
}

TEST_F(ArrayTest, BareArraysOfAnyOrderAreRead) {
  const fs::path path = folder_.path() / "a.npy";
  write_text(path, npy("|u1", false, levels_));
  expect_images(path, levels_);
  write_text(path, npy("|u1", true, levels_.permute({3, 2, 1, 0}).contiguous()));
  expect_images(path, levels_);
  const at::Tensor wide = at::stack({at::zeros_like(levels_), levels_}, 4);  // big-endian
  write_text(path, npy(">u2", false, wide.contiguous()));
  expect_images(path, levels_);
}

TEST_F(ArrayTest, WhatIsNotClearIsRefusedWithTheLineThatMendsIt) {
  const at::Tensor floats = levels_.to(c10::kFloat);
  const auto said = [&](const at::Tensor& array, ElementType type) {
    const fs::path path = write(array, type);
    return refused([&] { open_image_source(path); });
  };
  EXPECT_PRED2(contains, said(floats / 250, ElementType::kF32), "(x.clip(0, 1) * 255)");
  EXPECT_PRED2(contains, said(floats / 120 - 1, ElementType::kF32), "(x.clip(-1, 1) + 1)");
  EXPECT_PRED2(contains, said(floats + 0.5, ElementType::kF32), "x.clip(0, 255)");
  const at::Tensor dark = floats / 510 - 0.1;  // -0.1 to 0.4
  EXPECT_PRED2(contains, said(dark, ElementType::kF32), "0 to 1, or -1 to 1?");
  EXPECT_PRED2(contains, said(dark, ElementType::kF32), "(x.clip(0, 1) * 255)");
  EXPECT_PRED2(contains, said(dark, ElementType::kF32), "((x + 1) * 127.5)");
  EXPECT_PRED2(contains, said(floats / 255 - 0.5, ElementType::kF32), "0 to 1, or -1 to 1?");
  EXPECT_PRED2(contains, said(floats / 600, ElementType::kF32), "0 to 1, or -1 to 1?");
  const at::Tensor binary = (floats > 100).to(c10::kFloat);
  EXPECT_PRED2(contains, said(binary, ElementType::kF32), "or levels of 255?");
  EXPECT_PRED2(contains, said(floats / 0, ElementType::kF32), "NaN or infinite");
  EXPECT_PRED2(contains, said(levels_[0], ElementType::kU8), "one image, not a set");
  EXPECT_PRED2(contains, said(levels_.select(3, 0), ElementType::kU8), "x[..., None]");
  EXPECT_PRED2(contains, said(floats.view({2, 60}), ElementType::kF32), "mu=x.mean(0)");
  EXPECT_PRED2(contains, said(levels_.view({2, 2, 5, 6}), ElementType::kU8), "x[..., :3]");
  EXPECT_PRED2(contains, said(levels_.to(c10::kBool), ElementType::kBool), "is BOOL");
}

}  // namespace
}  // namespace lazymar
