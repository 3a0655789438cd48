#include "core/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "support/errors.h"

namespace lazymar {
namespace {

// Test vectors of Random123 (kat_vectors, philox4x32-10).
TEST(Philox, KnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<float> draw(PhiloxNoise& noise, const std::vector<int64_t>& tokens, int64_t channels,
                        int64_t decoding_step = 3, int64_t diffusion_step = 5) {
  std::vector<float> values(tokens.size() * static_cast<size_t>(channels));
  noise.normals({decoding_step, diffusion_step, channels, tokens, diffusion_step, decoding_step},
                values);
  return values;
}

TEST(PhiloxNoise, ValuesAreStandardNormal) {
  PhiloxNoise noise(7, {11});
  std::vector<int64_t> tokens(4096);
  std::iota(tokens.begin(), tokens.end(), 0);
  const std::vector<float> values = draw(noise, tokens, 16);
  const double n = static_cast<double>(values.size());
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (const float v : values) {
    sum += v;
    squares += double{v} * v;
    fourth += double{v} * v * v * v;
  }
  // Five standard errors each.
  EXPECT_NEAR(sum / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth / n, 3.0, 5 * std::sqrt(96 / n));
}

TEST(PhiloxNoise, AnImageDoesNotDependOnItsBatch) {
  PhiloxNoise alone(1, {42});
  PhiloxNoise third(1, {40, 41, 42});
  const std::vector<float> one = draw(alone, {5, 9}, 4);
  const std::vector<float> all = draw(third, {1, 2, 3, 4, 5, 9}, 4);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + 16));

  std::vector<int64_t> order_alone(256);
  std::vector<int64_t> order_third(256);
  alone.order(0, order_alone);
  third.order(2, order_third);
  EXPECT_EQ(order_alone, order_third);
}

TEST(PhiloxNoise, EveryCoordinateMatters) {
  PhiloxNoise noise(1, {42});
  PhiloxNoise other_image(1, {43});
  PhiloxNoise other_seed(2, {42});
  PhiloxNoise high_seed_bits(1 + (uint64_t{1} << 40), {42});
  std::set<std::vector<float>> draws;
  draws.insert(draw(noise, {5}, 4));
  draws.insert(draw(noise, {6}, 4));
  draws.insert(draw(noise, {5}, 4, 4));
  draws.insert(draw(noise, {5}, 4, 3, 6));
  draws.insert(draw(noise, {5}, 4, 3, NoiseRequest::kStart));
  draws.insert(draw(other_image, {5}, 4));
  draws.insert(draw(other_seed, {5}, 4));
  draws.insert(draw(high_seed_bits, {5}, 4));
  EXPECT_EQ(draws.size(), 8U);
}

TEST(PhiloxNoise, ChannelsDoNotDependOnTheirNumber) {
  PhiloxNoise noise(1, {0});
  const std::vector<float> six = draw(noise, {3}, 6);
  const std::vector<float> eight = draw(noise, {3}, 8);
  EXPECT_TRUE(std::equal(six.begin(), six.end(), eight.begin()));
}

TEST(PhiloxNoise, OrdersArePermutationsAndUniform) {
  constexpr int64_t kLength = 64;
  constexpr int64_t kImages = 2000;
  std::vector<int64_t> ids(kImages);
  std::iota(ids.begin(), ids.end(), 0);
  PhiloxNoise noise(1, ids);
  double first = 0;
  for (int64_t slot = 0; slot < kImages; ++slot) {
    std::vector<int64_t> order(kLength);
    noise.order(slot, order);
    first += static_cast<double>(order.front());
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < kLength; ++i) {
      ASSERT_EQ(order[static_cast<size_t>(i)], i);
    }
  }
  // Mean of the first entry: uniform over 0..63, standard error 18.5 / sqrt(2000).
  EXPECT_NEAR(first / kImages, 31.5, 5 * 18.5 / std::sqrt(2000.0));
}

TEST(PhiloxNoise, CountersThatWouldOverflowAreRefused) {
  testing::refused([] { PhiloxNoise(1, {int64_t{1} << 32}); });
  testing::refused([] { PhiloxNoise(1, {-1}); });
  PhiloxNoise noise(1, {0});
  testing::refused([&] { draw(noise, {0}, 4, 1 << 16); });
}

TEST(PhiloxNoise, GoesByTheKeysAndNotByTheSteps) {
  PhiloxNoise noise(7, {11});
  const std::vector<int64_t> tokens{5};
  const auto values = [&](int64_t decoding_step, int64_t diffusion_step, int64_t key,
                          int64_t step_key) {
    std::vector<float> drawn(4);
    noise.normals({decoding_step, diffusion_step, 4, tokens, key, step_key}, drawn);
    return drawn;
  };
  EXPECT_EQ(values(3, 8, 20, 0), values(9, 2, 20, 0)) << "two plans share a token's timestep";
  EXPECT_NE(values(3, 8, 20, 0), values(3, 8, 21, 0)) << "control";
  EXPECT_NE(values(3, 8, 20, 0), values(3, 8, 20, 3)) << "control";
}

}  // namespace
}  // namespace lazymar
