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
  EXPECT_PRED2(contains, said(floats / 126 - 1, ElementType::kF32), "(x.clip(-1, 1) + 1)");
  EXPECT_PRED2(contains, said(floats + 0.5, ElementType::kF32), "x.clip(0, 255)");
  const at::Tensor dark = floats / 510 - 0.04;  // -0.04 to 0.46
  EXPECT_PRED2(contains, said(dark, ElementType::kF32), "0 to 1, or -1 to 1, or -0.5 to 0.5?");
  EXPECT_PRED2(contains, said(dark, ElementType::kF32),
               "np.savez('images.npz', (x.clip(0, 1) * 255).round().astype('uint8')) for 0 to 1, "
               "or np.savez('images.npz', ((x + 1) * 127.5).round().astype('uint8')) for -1 to 1");
  EXPECT_PRED2(contains, said(floats / 255 - 0.5, ElementType::kF32), "((x + 0.5) * 255)");
  EXPECT_PRED2(contains, said(floats / 600, ElementType::kF32), "0 to 1, or -1 to 1?");
  EXPECT_PRED2(contains, said(floats / 0, ElementType::kF32), "NaN or infinite");
  EXPECT_PRED2(contains, said(levels_[0], ElementType::kU8), "one image, not a set");
  EXPECT_PRED2(contains, said(levels_.select(3, 0), ElementType::kU8), "x[..., None]");
  EXPECT_PRED2(contains, said(floats.view({2, 60}), ElementType::kF32), "mu=x.mean(0)");
  EXPECT_EQ(said(floats.view({2, 60}), ElementType::kF32).find("reshape"), std::string::npos);
  const std::string flat = said(at::zeros({2, int64_t{3} * 64 * 64}), ElementType::kF32);
  EXPECT_PRED2(contains, flat, "x.reshape(-1, 64, 64, 3)) for flattened images of 64x64, channels");
  EXPECT_PRED2(contains, flat, "x.reshape(-1, 3, 64, 64))");
  EXPECT_PRED2(contains, said(at::zeros({2, int64_t{28} * 28}), ElementType::kF32),
               "(-1, 28, 28, 1))");
  EXPECT_PRED2(contains, said(levels_.narrow(0, 0, 0), ElementType::kU8), "holds no images");
  EXPECT_PRED2(contains, said(levels_.view({2, 2, 5, 6}), ElementType::kU8), "x[..., :3]");
  const at::Tensor last = levels_.permute({1, 2, 3, 0});
  EXPECT_PRED2(contains, said(last, ElementType::kU8), "x.transpose(3, 0, 1, 2)) for [H, W, 3, N]");
  const at::Tensor first = levels_.permute({3, 0, 1, 2});
  EXPECT_PRED2(contains, said(first, ElementType::kU8),
               "x.transpose(1, 2, 3, 0)) for [3, N, H, W]");
  EXPECT_PRED2(contains, said(levels_.to(c10::kBool), ElementType::kBool), "is BOOL");
}

/// Lines that mend an array must not clip or wrap what it holds.
TEST_F(ArrayTest, LinesOfNumPyKeepTheImages) {
  const auto said = [&](const at::Tensor& array, ElementType type) {
    const fs::path path = write(array, type);
    return refused([&] { open_image_source(path); });
  };
  const at::Tensor floats = levels_.to(c10::kFloat) / 255;
  const at::Tensor mean = at::tensor({0.485, 0.456, 0.406}).to(c10::kFloat);
  const at::Tensor deviation = at::tensor({0.229, 0.224, 0.225}).to(c10::kFloat);
  const std::string normalised = said((floats - mean) / deviation, ElementType::kF32);
  EXPECT_PRED2(contains, normalised, "ImageNet's mean and standard deviation");
  EXPECT_PRED2(contains, normalised, "(x * np.array([0.229, 0.224, 0.225]) + np.array([0.485, ");
  EXPECT_PRED2(contains,
               said(((floats - mean) / deviation).permute({0, 3, 1, 2}), ElementType::kF32),
               "np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)");
  const std::string standard = said((floats - 0.5) / 0.29, ElementType::kF32);
  EXPECT_PRED2(contains, standard, "((x * std + mean) * 255)");
  EXPECT_EQ(standard.find("clip"), std::string::npos);
  EXPECT_PRED2(contains, said(levels_.to(c10::kInt) * 257, ElementType::kI32),
               "(x // 257).astype('uint8')");
  const std::string five = said(at::stack({levels_, levels_}, 4), ElementType::kU8);
  EXPECT_EQ(five.find("np.savez"), std::string::npos) << "dimensions";
  EXPECT_PRED2(contains, said(levels_.to(c10::kInt) * 4, ElementType::kI32),
               "(x // 4).astype('uint8')) for 10 bits");
  EXPECT_PRED2(contains, said(levels_.to(c10::kShort) - 128, ElementType::kI16),
               "(x.astype('int16') + 128).astype('uint8')");
  const std::string percent = said(floats * 100 + 0.25, ElementType::kF32);
  EXPECT_PRED2(contains, percent, "what do they mean?");
  EXPECT_EQ(percent.find("clip"), std::string::npos);
  EXPECT_PRED2(contains, said(levels_.to(c10::kInt) + 100, ElementType::kI32), "do they mean?");
}

TEST_F(ArrayTest, OnlyZeroAndOneAreNoLevels) {
  const auto said = [&](const at::Tensor& array, ElementType type) {
    const fs::path path = write(array, type);
    return refused([&] { open_image_source(path); });
  };
  const at::Tensor bits = levels_ > 100;
  for (const auto& [array, type] : {std::pair(bits.to(c10::kByte), ElementType::kU8),
                                    {bits.to(c10::kLong), ElementType::kI64},
                                    {at::ones_like(levels_), ElementType::kU8},
                                    {bits.to(c10::kFloat), ElementType::kF32}}) {
    EXPECT_PRED2(contains, said(array, type), "holds only ");
    EXPECT_PRED2(contains, said(array, type), "x.astype('uint8') * 255)");
  }
  EXPECT_PRED2(contains, said(bits.to(c10::kFloat), ElementType::kF32), "for -1 to 1");
  EXPECT_PRED2(contains, said(bits.to(c10::kChar) - 1, ElementType::kI8), "((x + 1) * 127.5)");
  expect_images(write(at::zeros_like(levels_), ElementType::kU8), at::zeros_like(levels_));
  at::Tensor one = bits.to(c10::kByte);
  one[1][3][4][2] = 2;
  expect_images(write(one, ElementType::kU8), one);
}

TEST_F(ArrayTest, ImagesBesideLabelsAreFound) {
  const auto images_and_labels = [&](bool more) {
    fs::path path = folder_.path() / "labels_first.npz";
    write_file_atomically(
        path,
        [&](const ByteSink& sink) {
          NpzWriter npz(sink);
          npz.begin("arr_0", ElementType::kU8, {kImages});
          npz.write(std::vector<std::byte>(kImages));
          for (const char* name : {"arr_1", "arr_2"}) {
            if (more || name == std::string("arr_1")) {
              npz.begin(name, ElementType::kU8, levels_.sizes().vec());
              npz.write(
                  {static_cast<const std::byte*>(levels_.const_data_ptr()), levels_.nbytes()});
            }
          }
          npz.finish();
        },
        folder_.path());
    return path;
  };
  expect_images(images_and_labels(false), levels_);
  const fs::path both = images_and_labels(true);
  EXPECT_PRED2(contains, refused([&] { open_image_source(both); }),
               "2 arrays could be images, and none is \"arr_0\"");
}

}  // namespace
}  // namespace lazymar
