#include "nn/packed_convolution.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "nn/cpu/bf16_product.h"

namespace lazymar {
namespace {

struct Shape {
  int64_t images, height, width, in, out, kernel;
};
/// Widths that fill tiles and that do not, images that end within a part, even kernels.
constexpr Shape kShapes[] = {
    {1, 1, 1, 32, 16, 3}, {2, 5, 7, 32, 20, 3},  {3, 16, 16, 64, 64, 3}, {1, 33, 20, 32, 130, 3},
    {2, 9, 8, 96, 48, 1}, {2, 6, 11, 32, 16, 2}, {1, 64, 64, 32, 32, 2}, {1, 40, 40, 128, 32, 3}};

class PackedConvolutions : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!cpu::has_bf16_products()) {
      GTEST_SKIP() << "neither AMX nor AVX512_BF16";
    }
  }
};

TEST_F(PackedConvolutions, AreThoseOfRoundedNumbers) {
  for (const auto& [images, height, width, in, out, kernel] : kShapes) {
    const at::Tensor weight = at::randn({out, in, kernel, kernel}).to(c10::kBFloat16);
    const at::Tensor bias = at::randn({out});
    const at::Tensor x = at::randn({images, height, width, in}).to(c10::kBFloat16);
    ASSERT_TRUE(PackedConvolution::fits(weight));
    const PackedConvolution layer(weight, bias);
    const at::Tensor y = layer(layer.with_border(x)).to(c10::kDouble);
    const auto expected = [&](double shift) {
      return at::conv2d(x.to(c10::kDouble).permute({0, 3, 1, 2}), weight.to(c10::kDouble) + shift,
                        bias.to(c10::kDouble), 1, kernel / 2)
          .permute({0, 2, 3, 1});
    };
    ASSERT_EQ(y.sizes(), expected(0).sizes());
    EXPECT_TRUE(at::allclose(y, expected(0), 1.0 / 255, 1e-4)) << in << " " << kernel;
    EXPECT_FALSE(at::allclose(y, expected(0.01), 1.0 / 255, 1e-4));  // the control
  }
}

TEST_F(PackedConvolutions, AnImageDependsNeitherOnOthersNorOnThreads) {
  const PackedConvolution layer(at::randn({64, 64, 3, 3}), at::randn({64}));
  const at::Tensor x = at::randn({5, 32, 32, 64}).to(c10::kBFloat16);
  const at::Tensor all = layer(layer.with_border(x));
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    for (int64_t image = 0; image < x.size(0); ++image) {
      const at::Tensor alone = layer(layer.with_border(x.narrow(0, image, 1)));
      EXPECT_TRUE(alone.equal(all.narrow(0, image, 1))) << threads;
    }
  }
  at::set_num_threads(before);
}

TEST(PackedConvolution, TakesOnlyWhatFillsItsTiles) {
  EXPECT_FALSE(PackedConvolution::fits(at::empty({16, 48, 3, 3})));
  EXPECT_EQ(PackedConvolution::fits(at::empty({16, 32, 3, 3})), cpu::has_bf16_products());
}

}  // namespace
}  // namespace lazymar
