#include "report/similarity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace lazymar {
namespace {

/// A picture of 24x20 pixels, and the same with a pattern added where `changed`.
DecodedImage picture(bool changed) {
  DecodedImage image{24, 20, {}};
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t value = (x * x + 3 * y * x + 31 * c * y + 7 * y) % 256;
        const int64_t added = changed ? (x * 5 + y * 11 + c * 3) % 41 - 20 : 0;
        image.pixels.push_back(static_cast<uint8_t>(std::clamp<int64_t>(value + added, 0, 255)));
      }
    }
  }
  return image;
}

// Recorded from SciPy 1.17: the formulas of Wang et al. over
// scipy.ndimage.gaussian_filter(sigma=1.5, truncate=3.5), as in scikit-image, in double precision.
TEST(Similarity, AsScipyHasIt) {
  EXPECT_NEAR(psnr(picture(false), picture(true)), 26.892287199008248, 1e-9);
  EXPECT_NEAR(ssim(picture(false), picture(true)).value(), 0.987691279821847, 1e-9);
}

TEST(Similarity, EqualPicturesAreEqual) {
  EXPECT_TRUE(std::isinf(psnr(picture(true), picture(true))));
  EXPECT_NEAR(ssim(picture(true), picture(true)).value(), 1, 1e-12);
}

TEST(Similarity, TheWindowMustFit) {
  const DecodedImage small{10, 10, std::vector<uint8_t>(300)};
  EXPECT_FALSE(ssim(small, small).has_value());
}

}  // namespace
}  // namespace lazymar
