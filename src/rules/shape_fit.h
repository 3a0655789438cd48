#pragma once
/// Fits a family of covers to an image's cover: an exhaustive coarse search, then coordinate
/// descent with ever smaller steps.

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "rules/two_colours.h"

namespace lazymar {

/// Values of a parameter that the coarse search tries.
struct ParameterRange {
  double lowest, highest, step;
};

/// Pixels that a fit looks at: columns [first, last) of all rows.
struct ColumnSpan {
  int64_t first = 0, last = kRuleSide;
};

template <size_t N>
struct ShapeFit {
  std::array<double, N> parameters{};
  double error = std::numeric_limits<double>::infinity();  ///< sum of squares over the pixels
};

/// Sum of squared differences of `target` and shape(parameters, x, y), with x and y the centres of
/// pixels, over every `stride`-th pixel of both axes.
template <size_t N, typename Shape>
double fit_error(const Cover& target, const Shape& shape, const std::array<double, N>& parameters,
                 ColumnSpan columns, int64_t stride) {
  double error = 0;
  for (int64_t row = 0; row < kRuleSide; row += stride) {
    for (int64_t column = columns.first; column < columns.last; column += stride) {
      const float share =
          shape(parameters, static_cast<double>(column) + 0.5, static_cast<double>(row) + 0.5);
      const float gap = target[static_cast<size_t>(row * kRuleSide + column)] - share;
      error += gap * gap;
    }
  }
  return error;
}

/// The best of all combinations of the ranges' values, on every second pixel.
template <size_t N, typename Shape>
ShapeFit<N> search_grid(const Cover& target, const Shape& shape,
                        const std::array<ParameterRange, N>& ranges, ColumnSpan columns) {
  ShapeFit<N> best;
  std::array<double, N> tried;
  for (size_t k = 0; k < N; ++k) {
    tried[k] = ranges[k].lowest;
  }
  for (size_t k = 0; k < N;) {
    const double error = fit_error(target, shape, tried, columns, 2);
    if (error < best.error) {
      best = {tried, error};
    }
    for (k = 0; k < N; ++k) {  // counts up, the first parameter fastest
      tried[k] += ranges[k].step;
      if (tried[k] <= ranges[k].highest) {
        break;
      }
      tried[k] = ranges[k].lowest;
    }
  }
  return best;
}

/// The family's member nearest to `target`, found by a local search from the grid's best point.
/// Parameters stay within their ranges.
template <size_t N, typename Shape>
ShapeFit<N> fit_shape(const Cover& target, const Shape& shape,
                      const std::array<ParameterRange, N>& ranges, ColumnSpan columns = {}) {
  constexpr int kHalvings = 5;
  ShapeFit<N> best = search_grid(target, shape, ranges, columns);
  best.error = fit_error(target, shape, best.parameters, columns, 1);
  double scale = 0.5;
  for (int halving = 0; halving < kHalvings;) {
    bool better = false;
    for (size_t k = 0; k < N; ++k) {
      for (const double direction : {-1.0, 1.0}) {
        auto tried = best.parameters;
        tried[k] = std::clamp(tried[k] + direction * scale * ranges[k].step, ranges[k].lowest,
                              ranges[k].highest);
        const double error = fit_error(target, shape, tried, columns, 1);
        if (error < best.error) {
          best = {tried, error};
          better = true;
        }
      }
    }
    if (!better) {
      scale /= 2;
      ++halving;
    }
  }
  return best;
}

/// Draws a member of a family into columns of `cover`.
template <size_t N, typename Shape>
void draw_shape(Cover& cover, const Shape& shape, const std::array<double, N>& parameters,
                ColumnSpan columns = {}) {
  for (int64_t row = 0; row < kRuleSide; ++row) {
    for (int64_t column = columns.first; column < columns.last; ++column) {
      cover[static_cast<size_t>(row * kRuleSide + column)] =
          shape(parameters, static_cast<double>(column) + 0.5, static_cast<double>(row) + 0.5);
    }
  }
}

}  // namespace lazymar
