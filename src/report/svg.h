#pragma once
/// Pieces of charts.

#include <string>
#include <vector>

namespace lazymar {

// All charts have the same width, so that their text has the same size.
inline constexpr double kWidth = 600;
inline constexpr double kLeft = 56;
inline constexpr double kRight = 590;
inline constexpr double kTop = 14;

/// With one decimal, for coordinates; with four significant digits, for readers.
std::string coordinate(double value);
std::string short_number(double value);

std::string open_chart(double height, const std::string& title);
std::string line(double x1, double y1, double x2, double y2, const char* style);
std::string words(double x, double y, const char* anchor, const std::string& text);
std::string bar(double x, double y, double width, double height, const char* style,
                const std::string& tip);

/// The ticks of an axis from 0 to `most`, at most six: multiples of 1, 2, 5, 10, 20, ...
std::vector<double> ticks_of(double most);

/// Maps values to coordinates between two ends.
struct Axis {
  double least = 0, most = 1, from = 0, to = 1;
  double at(double value) const { return from + (value - least) / (most - least) * (to - from); }
};

/// An axis with some room around its values.
Axis axis_around(const std::vector<double>& values, double from, double to);

}  // namespace lazymar
