#include "report/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "report/html.h"
#include "report/numbers.h"

namespace lazymar {

std::string coordinate(double value) {
  return number_text(value, 1);
}

std::string open_chart(double height, const std::string& title) {
  return concat("<svg class=\"chart\" viewBox=\"0 0 ", kWidth, " ", height,
                "\" role=\"img\" aria-label=\"", escape_html(title), "\">");
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return concat("<line class=\"", style, "\" x1=\"", coordinate(x1), "\" y1=\"", coordinate(y1),
                "\" x2=\"", coordinate(x2), "\" y2=\"", coordinate(y2), "\"/>");
}

std::string words(double x, double y, const char* anchor, const std::string& text) {
  return concat("<text x=\"", coordinate(x), "\" y=\"", coordinate(y), "\" text-anchor=\"", anchor,
                "\">", escape_html(text), "</text>");
}

std::string bar(double x, double y, double width, double height, const char* style,
                const std::string& tip) {
  return concat("<rect class=\"", style, "\" x=\"", coordinate(x), "\" y=\"", coordinate(y),
                "\" width=\"", coordinate(width), "\" height=\"", coordinate(std::max(height, 0.0)),
                "\"><title>", escape_html(tip), "</title></rect>");
}

std::vector<double> ticks_of(double most) {
  const double power = std::pow(10.0, std::floor(std::log10(most)));
  double step = 2 * power;
  for (const double part : {1.0, 0.5, 0.2}) {
    if (most / (part * power) <= 5) {
      step = part * power;
    }
  }
  std::vector<double> ticks;
  for (int i = 0; i * step <= most; ++i) {
    ticks.push_back(i * step);
  }
  return ticks;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

Axis axis_around(const std::vector<double>& values, double from, double to) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double room = *most > *least ? 0.1 * (*most - *least) : std::max(0.05 * *most, 1e-6);
  return {*least - room, *most + room, from, to};
}

}  // namespace lazymar
