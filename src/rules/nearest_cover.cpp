#include "rules/nearest_cover.h"

#include <bit>
#include <cmath>
#include <functional>

#include "rules/shape_fit.h"

namespace lazymar {
namespace {

// Sizes in pixels, as in demo_training/rules.py; ranges are slightly wider than there.
constexpr double kMiddle = kRuleSide / 2.0;
constexpr int64_t kMirrorCell = 16;
constexpr double kCheckerCell = 16;
constexpr double kDiscRadius = 8;
constexpr double kHalfLine = 4.5;
constexpr double kTwin = 11;
constexpr double kFrameRim = 8;
constexpr std::array<double, 3> kDiscColumns = {11, 32, 53};
constexpr std::array<double, 2> kDiscRows = {16, 48};
constexpr std::array<ColumnSpan, 3> kThirds = {{{0, 21}, {21, 43}, {43, 64}}};
constexpr std::array<ColumnSpan, 2> kHalves = {{{0, 32}, {32, 64}}};

/// Share of a pixel inside an outline, from the signed distance of its centre, positive inside.
float inside(double distance) {
  return static_cast<float>(std::clamp(distance + 0.5, 0.0, 1.0));
}

/// Bands of equal width `half`, alternately on and off, at a distance from an edge.
float bands(double place, double half) {
  const double within = place - 2 * half * std::floor(place / (2 * half));
  const double to_edge =
      std::min({std::abs(within), std::abs(within - half), std::abs(within - 2 * half)});
  return inside(within < half ? to_edge : -to_edge);
}

float disc(double dx, double dy, double radius) {
  return inside(radius - std::hypot(dx, dy));
}

size_t pixel(int64_t row, int64_t column) {
  return static_cast<size_t>(row * kRuleSide + column);
}

/// Each pair of mirrored cells gets the colour of its mean.
Cover nearest_mirror(const Cover& cover) {
  Cover result;
  for (int64_t top = 0; top < kRuleSide; top += kMirrorCell) {
    for (int64_t left = 0; left < kRuleSide / 2; left += kMirrorCell) {
      float sum = 0;
      for (int64_t row = top; row < top + kMirrorCell; ++row) {
        for (int64_t column = left; column < left + kMirrorCell; ++column) {
          sum += cover[pixel(row, column)] + cover[pixel(row, kRuleSide - 1 - column)];
        }
      }
      const float share = sum > static_cast<float>(kMirrorCell * kMirrorCell) ? 1 : 0;
      for (int64_t row = top; row < top + kMirrorCell; ++row) {
        for (int64_t column = left; column < left + kMirrorCell; ++column) {
          result[pixel(row, column)] = result[pixel(row, kRuleSide - 1 - column)] = share;
        }
      }
    }
  }
  return result;
}

Cover nearest_stripes(const Cover& cover) {
  const std::array<ParameterRange, 2> ranges = {{{15, 29, 1}, {0, 29, 1}}};  // period, phase
  const auto upright = [](const std::array<double, 2>& p, double x, double) {
    return bands(x + p[1], p[0] / 2);
  };
  const auto level = [](const std::array<double, 2>& p, double, double y) {
    return bands(y + p[1], p[0] / 2);
  };
  const auto first = fit_shape(cover, upright, ranges);
  const auto second = fit_shape(cover, level, ranges);
  Cover result;
  if (first.error < second.error) {
    draw_shape(result, upright, first.parameters);
  } else {
    draw_shape(result, level, second.parameters);
  }
  return result;
}

Cover nearest_checker(const Cover& cover) {
  const std::array<ParameterRange, 2> ranges = {{{0, 32, 1}, {0, 16, 1}}};  // phases
  const auto shape = [](const std::array<double, 2>& p, double x, double y) {
    const float across = 2 * bands(x + p[0], kCheckerCell) - 1;
    const float down = 2 * bands(y + p[1], kCheckerCell) - 1;
    return (1 + across * down) / 2;
  };
  Cover result;
  draw_shape(result, shape, fit_shape(cover, shape, ranges).parameters);
  return result;
}

Cover nearest_three(const Cover& cover) {
  const std::array<ParameterRange, 1> ranges = {{{9, 55, 1}}};
  Cover result;
  for (size_t k = 0; k < kThirds.size(); ++k) {
    const auto shape = [k](const std::array<double, 1>& p, double x, double y) {
      return disc(x - kDiscColumns[k], y - p[0], kDiscRadius);
    };
    draw_shape(result, shape, fit_shape(cover, shape, ranges, kThirds[k]).parameters, kThirds[k]);
  }
  return result;
}

Cover nearest_line(const Cover& cover) {
  const std::array<ParameterRange, 2> ranges = {{{6, 58, 2}, {6, 58, 2}}};  // heights at the edges
  const auto shape = [](const std::array<double, 2>& p, double x, double y) {
    const double slope = (p[1] - p[0]) / kRuleSide;
    return inside(kHalfLine - std::abs(y - p[0] - slope * x) / std::hypot(1.0, slope));
  };
  Cover result;
  draw_shape(result, shape, fit_shape(cover, shape, ranges).parameters);
  return result;
}

Cover nearest_rings(const Cover& cover) {
  // Centre and period.
  const std::array<ParameterRange, 3> ranges = {{{22, 42, 2}, {22, 42, 2}, {15, 23, 1}}};
  const auto shape = [](const std::array<double, 3>& p, double x, double y) {
    const double radius = std::hypot(x - p[0], y - p[1]);
    // A disc in the middle: no edge at radius 0.
    return radius < p[2] / 2 ? inside(p[2] / 2 - radius) : bands(radius, p[2] / 2);
  };
  Cover result;
  draw_shape(result, shape, fit_shape(cover, shape, ranges).parameters);
  return result;
}

float twin(int kind, double dx, double dy) {
  const double across = std::abs(dx), down = std::abs(dy);
  const double longest = std::max(across, down), radius = std::hypot(dx, dy);
  switch (kind) {
    case 0:
      return inside(0.85 * kTwin - longest);
    case 1:
      return inside((1.2 * kTwin - across - down) * std::sqrt(0.5));
    case 2:
      return inside(std::min(kTwin - longest, 0.36 * kTwin - std::min(across, down)));
    default:
      return inside(std::min(kTwin - radius, radius - 0.45 * kTwin));
  }
}

Cover nearest_twins(const Cover& cover) {
  const std::array<ParameterRange, 1> ranges = {{{12, 52, 1}}};
  Cover result;
  double least = std::numeric_limits<double>::infinity();
  for (int kind = 0; kind < 4; ++kind) {
    Cover drawn;
    double error = 0;
    for (const ColumnSpan half : kHalves) {
      const double middle = static_cast<double>(half.first + half.last) / 2;
      const auto shape = [kind, middle](const std::array<double, 1>& p, double x, double y) {
        return twin(kind, x - middle, y - p[0]);
      };
      const auto fit = fit_shape(cover, shape, ranges, half);
      draw_shape(drawn, shape, fit.parameters, half);
      error += fit.error;
    }
    if (error < least) {
      least = error;
      result = drawn;
    }
  }
  return result;
}

/// Whether bit k of three is set, for the k nearest to x.
bool occupied(int bits, double x) {
  return (bits >> (x < 21 ? 0 : x < 43 ? 1 : 2) & 1) != 0;
}

Cover nearest_balance(const Cover& cover) {
  const std::array<ParameterRange, 1> ranges = {{{6.5, 10, 0.5}}};  // radius
  Cover result;
  double least = std::numeric_limits<double>::infinity();
  for (int upper = 1; upper < 7; ++upper) {
    for (int lower = 1; lower < 7; ++lower) {
      if (std::popcount(static_cast<unsigned>(upper)) !=
          std::popcount(static_cast<unsigned>(lower))) {
        continue;
      }
      const auto shape = [upper, lower](const std::array<double, 1>& p, double x, double y) {
        if (!occupied(y < kMiddle ? upper : lower, x)) {
          return 0.0F;
        }
        const double column = kDiscColumns[x < 21 ? 0 : x < 43 ? 1 : 2];
        return disc(x - column, y - kDiscRows[y < kMiddle ? 0 : 1], p[0]);
      };
      const auto fit = fit_shape(cover, shape, ranges);
      if (fit.error < least) {
        least = fit.error;
        draw_shape(result, shape, fit.parameters);
      }
    }
  }
  return result;
}

Cover nearest_frame(const Cover& cover) {
  // Left, top, right, bottom.
  const std::array<ParameterRange, 4> ranges = {{{3, 19, 4}, {3, 19, 4}, {45, 61, 4}, {45, 61, 4}}};
  const auto shape = [](const std::array<double, 4>& p, double x, double y) {
    const double inset = std::min({x - p[0], y - p[1], p[2] - x, p[3] - y});
    return inside(std::min(inset, kFrameRim - inset));
  };
  Cover result;
  draw_shape(result, shape, fit_shape(cover, shape, ranges).parameters);
  return result;
}

}  // namespace

Cover nearest_cover(int64_t label, const Cover& cover) {
  static const std::array<std::function<Cover(const Cover&)>, kRuleClasses.size()> kNearest = {
      nearest_mirror, nearest_stripes, nearest_checker, nearest_three,   nearest_line,
      nearest_rings,  nearest_twins,   nullptr,         nearest_balance, nearest_frame};
  return kNearest.at(static_cast<size_t>(label))(cover);
}

}  // namespace lazymar
