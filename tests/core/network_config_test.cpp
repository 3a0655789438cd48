#include "core/network_config.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace lazymar {
namespace {

TEST(Config, PresetsAreThePublishedOnes) {
  ASSERT_NE(find_preset("mar_huge"), nullptr);
  const MarConfig huge = published_config(*find_preset("mar_huge"));
  EXPECT_EQ(huge.encoder_dim, 1280);
  EXPECT_EQ(huge.decoder_depth, 20);
  EXPECT_EQ(huge.decoder_heads, 16);
  EXPECT_EQ(huge.head_depth, 12);
  EXPECT_EQ(huge.head_width, 1536);
  EXPECT_EQ(huge.rows(), 320);
  EXPECT_EQ(find_preset("mar_tiny"), nullptr);
  EXPECT_TRUE(testing::contains(preset_names(), "mar_base, mar_large, mar_huge"));
}

TEST(Config, Kl16HasStride16) {
  EXPECT_EQ(kl16_config().stride(), 16);
}

}  // namespace
}  // namespace lazymar
