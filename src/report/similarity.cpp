#include "report/similarity.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace lazymar {
namespace {

constexpr double kPeak = 255.0;
constexpr int64_t kChannels = 3;

using Window = std::array<double, kSsimWindow>;

Window gaussian_window() {
  constexpr double kSigma = 1.5;
  constexpr int64_t kMiddle = kSsimWindow / 2;
  Window window{};
  double sum = 0;
  for (int64_t i = 0; i < kSsimWindow; ++i) {
    const auto x = static_cast<double>(i - kMiddle);
    sum += window[static_cast<size_t>(i)] = std::exp(-x * x / (2 * kSigma * kSigma));
  }
  for (double& weight : window) {
    weight /= sum;
  }
  return window;
}

/// A plane of numbers, row by row.
struct Plane {
  int64_t width = 0, height = 0;
  std::vector<double> values;
};

/// Weighted means over the window at all positions inside: [height - 10, width - 10].
Plane smooth(const Plane& in) {
  static const Window kWindow = gaussian_window();
  const int64_t width = in.width - kSsimWindow + 1;
  const int64_t height = in.height - kSsimWindow + 1;
  std::vector<double> rows(static_cast<size_t>(width * in.height));
  for (int64_t y = 0; y < in.height; ++y) {
    for (int64_t i = 0; i < kSsimWindow; ++i) {
      const double* from = in.values.data() + y * in.width + i;
      double* to = rows.data() + y * width;
      for (int64_t x = 0; x < width; ++x) {
        to[x] += kWindow[static_cast<size_t>(i)] * from[x];
      }
    }
  }
  Plane out{width, height, std::vector<double>(static_cast<size_t>(width * height))};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = 0; i < kSsimWindow; ++i) {
      const double* from = rows.data() + (y + i) * width;
      double* to = out.values.data() + y * width;
      for (int64_t x = 0; x < width; ++x) {
        to[x] += kWindow[static_cast<size_t>(i)] * from[x];
      }
    }
  }
  return out;
}

Plane channel_of(const DecodedImage& image, int64_t channel) {
  Plane plane{image.width, image.height, {}};
  for (size_t i = static_cast<size_t>(channel); i < image.pixels.size(); i += kChannels) {
    plane.values.push_back(image.pixels[i]);
  }
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result = a;
  for (size_t i = 0; i < result.values.size(); ++i) {
    result.values[i] *= b.values[i];
  }
  return result;
}

/// Equation 13 of the paper, mean over the positions.
double channel_ssim(const Plane& a, const Plane& b) {
  constexpr double kC1 = 0.01 * kPeak * 0.01 * kPeak;
  constexpr double kC2 = 0.03 * kPeak * 0.03 * kPeak;
  const Plane mean_a = smooth(a);
  const Plane mean_b = smooth(b);
  const Plane square_a = smooth(product(a, a));
  const Plane square_b = smooth(product(b, b));
  const Plane both = smooth(product(a, b));
  double sum = 0;
  for (size_t i = 0; i < both.values.size(); ++i) {
    const double ma = mean_a.values[i];
    const double mb = mean_b.values[i];
    const double variances = square_a.values[i] - ma * ma + square_b.values[i] - mb * mb;
    const double covariance = both.values[i] - ma * mb;
    sum += (2 * ma * mb + kC1) * (2 * covariance + kC2) /
           ((ma * ma + mb * mb + kC1) * (variances + kC2));
  }
  return sum / static_cast<double>(both.values.size());
}

}  // namespace

double psnr(const DecodedImage& a, const DecodedImage& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    const int64_t difference = int64_t{a.pixels[i]} - b.pixels[i];
    sum += difference * difference;
  }
  if (sum == 0) {
    return std::numeric_limits<double>::infinity();
  }
  const double error = static_cast<double>(sum) / static_cast<double>(a.pixels.size());
  return 10 * std::log10(kPeak * kPeak / error);
}

std::optional<double> ssim(const DecodedImage& a, const DecodedImage& b) {
  if (a.width < kSsimWindow || a.height < kSsimWindow) {
    return std::nullopt;
  }
  double sum = 0;
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    sum += channel_ssim(channel_of(a, channel), channel_of(b, channel));
  }
  return sum / kChannels;
}

}  // namespace lazymar
