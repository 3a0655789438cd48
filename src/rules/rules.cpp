#include "rules/rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "rules/nearest_cover.h"
#include "rules/two_colours.h"

namespace lazymar {
namespace {

constexpr int64_t kGradient = 7;
constexpr int64_t kToken = 4;  // pixels
constexpr int64_t kGrid = kRuleSide / kToken;

/// Least change of one channel across a gradient, in levels.
constexpr float kLeastChange = 80;

using Picture = std::vector<Colour>;  // of every pixel, row by row

Picture two_coloured(int64_t label, std::span<const uint8_t> rgb) {
  const TwoColours colours = find_colours(rgb);
  const Cover cover = nearest_cover(label, find_cover(rgb, colours));
  Picture picture(cover.size());
  std::transform(cover.begin(), cover.end(), picture.begin(),
                 [&](float share) { return colours.mix(share); });
  return picture;
}

/// The plane through each channel by least squares. If the steepest channel changes by less than
/// kLeastChange, it is not a gradient, and every token is made to differ.
Picture linear(std::span<const uint8_t> rgb) {
  constexpr double kCentre = (kRuleSide - 1) / 2.0;
  constexpr double kSpread = (kRuleSide * kRuleSide - 1) / 12.0;  // variance of a coordinate
  Picture picture(kRuleSide * kRuleSide);
  double largest = 0;
  for (size_t c = 0; c < 3; ++c) {
    double mean = 0, across = 0, down = 0;
    for (size_t i = 0; i < picture.size(); ++i) {
      const size_t row = i / kRuleSide;
      const size_t column = i % kRuleSide;
      const double value = rgb[3 * i + c];
      mean += value;
      across += value * (static_cast<double>(column) - kCentre);
      down += value * (static_cast<double>(row) - kCentre);
    }
    const auto count = static_cast<double>(picture.size());
    mean /= count, across /= count * kSpread, down /= count * kSpread;
    largest = std::max(largest, (std::abs(across) + std::abs(down)) * kRuleSide);
    for (size_t i = 0; i < picture.size(); ++i) {
      const size_t row = i / kRuleSide;
      const size_t column = i % kRuleSide;
      picture[i][c] = static_cast<float>(mean + across * (static_cast<double>(column) - kCentre) +
                                         down * (static_cast<double>(row) - kCentre));
    }
  }
  if (largest < kLeastChange) {
    picture.assign(picture.size(), Colour{-1e3F, -1e3F, -1e3F});
  }
  return picture;
}

/// Mean colour of the square whose upper left pixel is this one; pixels beyond the picture repeat
/// its border.
Colour token_mean(const Picture& picture, int64_t top, int64_t left) {
  Colour mean{};
  for (int64_t row = top; row < top + kToken; ++row) {
    for (int64_t column = left; column < left + kToken; ++column) {
      const int64_t y = std::clamp<int64_t>(row, 0, kRuleSide - 1);
      const int64_t x = std::clamp<int64_t>(column, 0, kRuleSide - 1);
      const Colour& colour = picture[static_cast<size_t>(y * kRuleSide + x)];
      for (size_t c = 0; c < 3; ++c) {
        mean[c] += colour[c] / (kToken * kToken);
      }
    }
  }
  return mean;
}

/// How far a token's mean colour is outside the range that it has in `picture` moved by up to
/// kRuleShift pixels: the largest difference of a channel, in levels.
float token_gap(const Picture& image, const Picture& picture, int64_t token) {
  const int64_t top = token / kGrid * kToken, left = token % kGrid * kToken;
  Colour lowest, highest;
  lowest.fill(std::numeric_limits<float>::infinity());
  highest.fill(-std::numeric_limits<float>::infinity());
  for (int64_t down = -kRuleShift; down <= kRuleShift; ++down) {
    for (int64_t across = -kRuleShift; across <= kRuleShift; ++across) {
      const Colour mean = token_mean(picture, top + down, left + across);
      for (size_t c = 0; c < 3; ++c) {
        lowest[c] = std::min(lowest[c], mean[c]);
        highest[c] = std::max(highest[c], mean[c]);
      }
    }
  }
  const Colour mean = token_mean(image, top, left);
  float gap = 0;
  for (size_t c = 0; c < 3; ++c) {
    gap = std::max({gap, lowest[c] - mean[c], mean[c] - highest[c]});
  }
  return gap;
}

}  // namespace

std::array<float, kRuleTokens> rule_gaps(int64_t label, std::span<const uint8_t> rgb) {
  if (label < 0 || label >= static_cast<int64_t>(kRuleClasses.size())) {
    throw usage_error("class ", label, ": the rules know classes 0 to ", kRuleClasses.size() - 1);
  }
  if (rgb.size() != 3 * kRuleSide * kRuleSide) {
    throw usage_error("rules are checked on images of ", kRuleSide, "x", kRuleSide,
                      " pixels; this one has ", rgb.size() / 3);
  }
  const Picture picture = label == kGradient ? linear(rgb) : two_coloured(label, rgb);
  Picture image(kRuleSide * kRuleSide);
  for (size_t i = 0; i < image.size(); ++i) {
    image[i] = {static_cast<float>(rgb[3 * i]), static_cast<float>(rgb[3 * i + 1]),
                static_cast<float>(rgb[3 * i + 2])};
  }
  std::array<float, kRuleTokens> gaps;
  for (int64_t token = 0; token < kRuleTokens; ++token) {
    gaps[static_cast<size_t>(token)] = token_gap(image, picture, token);
  }
  return gaps;
}

float rule_tolerance(int64_t label) {
  return label == kGradient ? 44 : 32;
}

RuleCheck check_rule(int64_t label, std::span<const uint8_t> rgb) {
  const auto gaps = rule_gaps(label, rgb);
  RuleCheck check;
  check.broken = std::count_if(gaps.begin(), gaps.end(),
                               [&](float gap) { return gap > rule_tolerance(label); });
  check.score = 1 - static_cast<double>(check.broken) / kRuleTokens;
  check.pass = check.broken == 0;
  return check;
}

}  // namespace lazymar
