#include "rules/two_colours.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lazymar {
namespace {

constexpr int kRounds = 12;  // of two-means; it converges within a few

float lightness(const uint8_t* pixel) {
  return 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];  // BT.601
}

/// Lightness that separates the two groups.
float find_threshold(const std::vector<float>& values) {
  const auto [darkest, lightest] = std::minmax_element(values.begin(), values.end());
  float threshold = (*darkest + *lightest) / 2;
  for (int round = 0; round < kRounds; ++round) {
    std::array<double, 2> sums{}, counts{};
    for (const float value : values) {
      const size_t group = value > threshold ? 1 : 0;
      sums[group] += value;
      counts[group] += 1;
    }
    if (counts[0] == 0 || counts[1] == 0) {
      break;
    }
    threshold = static_cast<float>((sums[0] / counts[0] + sums[1] / counts[1]) / 2);
  }
  return threshold;
}

float median(std::vector<float>& values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Colour TwoColours::mix(float share) const {
  Colour colour;
  for (size_t c = 0; c < 3; ++c) {
    colour[c] = std::lerp(ground[c], figure[c], share);
  }
  return colour;
}

TwoColours find_colours(std::span<const uint8_t> rgb) {
  std::vector<float> light(rgb.size() / 3);
  for (size_t i = 0; i < light.size(); ++i) {
    light[i] = lightness(&rgb[3 * i]);
  }
  const float threshold = find_threshold(light);
  TwoColours colours;
  for (size_t c = 0; c < 3; ++c) {
    std::vector<float> ground, figure;
    for (size_t i = 0; i < light.size(); ++i) {
      (light[i] > threshold ? ground : figure).push_back(rgb[3 * i + c]);
    }
    colours.ground[c] = median(ground);
    colours.figure[c] = median(figure);
  }
  return colours;
}

Cover find_cover(std::span<const uint8_t> rgb, const TwoColours& colours) {
  Colour axis;
  float length = 1e-6F;
  for (size_t c = 0; c < 3; ++c) {
    axis[c] = colours.figure[c] - colours.ground[c];
    length += axis[c] * axis[c];
  }
  Cover cover;
  for (size_t i = 0; i < cover.size(); ++i) {
    float along = 0;
    for (size_t c = 0; c < 3; ++c) {
      along += (static_cast<float>(rgb[3 * i + c]) - colours.ground[c]) * axis[c];
    }
    cover[i] = std::clamp(along / length, 0.0F, 1.0F);
  }
  return cover;
}

}  // namespace lazymar
