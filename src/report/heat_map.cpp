#include "report/heat_map.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "report/html.h"
#include "report/svg.h"

namespace lazymar {
namespace {

/// Lower ends of the classes but the first, in per cent.
constexpr std::array<int, 9> kEdges{1, 2, 3, 5, 10, 20, 30, 50, 100};

int class_of(double change) {
  return static_cast<int>(std::upper_bound(kEdges.begin(), kEdges.end(), 100 * change) -
                          kEdges.begin());
}

std::string class_name(size_t level) {
  if (level == 0) {
    return concat("less than ", kEdges.front(), " %");
  }
  return level == kEdges.size() ? concat(kEdges.back(), " % or more")
                                : concat(kEdges[level - 1], " to ", kEdges[level], " %");
}

/// By class, the cells as runs along a row: "M3 5h2v1h-2z".
std::array<std::string, kEdges.size() + 1> cell_paths(const ChangeMap& map) {
  std::array<std::string, kEdges.size() + 1> paths;
  for (int64_t to = 1; to < map.steps(); ++to) {
    int64_t begin = 0;
    int level = -1;  // of the cells from `begin` on; none
    for (int64_t from = 0; from <= to; ++from) {
      const auto change = from < to ? map.at(from, to) : std::nullopt;
      const int here = change ? class_of(*change) : -1;
      if (here == level) {
        continue;
      }
      if (level >= 0) {
        paths[static_cast<size_t>(level)] +=
            concat("M", begin, " ", to, "h", from - begin, "v1h", begin - from, "z");
      }
      begin = from;
      level = here;
    }
  }
  return paths;
}

/// The colours, with the largest change on top and the numbers at their borders.
std::string scale(double left, double top) {
  constexpr double kHeight = 16;
  std::string svg;
  const size_t count = kEdges.size() + 1;
  for (size_t level = 0; level < count; ++level) {
    const double y = top + kHeight * static_cast<double>(count - 1 - level);
    svg += bar(left, y, 14, kHeight, concat("h", level).c_str(), class_name(level));
    if (level > 0) {
      svg += words(left + 19, y + kHeight + 4.5, "start", concat(kEdges[level - 1], " %"));
    }
  }
  return svg;
}

}  // namespace

std::string heat_map(const ChangeMap& map, const std::string& title) {
  constexpr double kLeft = 46;
  constexpr double kTop = 8;
  constexpr double kSide = 300;
  const auto steps = static_cast<double>(map.steps());
  const double cell = kSide / steps;
  std::string svg =
      concat("<svg class=\"chart map\" viewBox=\"0 0 356 354\" role=\"img\" aria-label=\"",
             escape_html(title), "\">");
  svg += concat("<path class=\"none\" d=\"M", kLeft, " ", kTop, "v", kSide, "h", kSide, "z\"/>",
                "<g shape-rendering=\"crispEdges\" transform=\"translate(", kLeft, " ", kTop,
                ") scale(", cell, ")\">");
  const auto paths = cell_paths(map);
  for (size_t level = 0; level < paths.size(); ++level) {
    if (!paths[level].empty()) {
      svg += concat("<path class=\"h", level, "\" d=\"", paths[level], "\"><title>",
                    class_name(level), "</title></path>");
    }
  }
  svg += "</g>" + scale(kLeft + 0.74 * kSide, kTop + 4);
  const int64_t every = std::max<int64_t>(1, map.steps() / 4);
  for (int64_t step = 0; step < map.steps(); step += every) {
    const double place = cell * (static_cast<double>(step) + 0.5);
    svg += words(kLeft + place, kTop + kSide + 15, "middle", std::to_string(step));
    svg += words(kLeft - 5, kTop + place + 4.5, "end", std::to_string(step));
  }
  svg += words(kLeft + kSide / 2, kTop + kSide + 33, "middle", "stored at step i");
  svg += concat("<text text-anchor=\"middle\" transform=\"translate(12 ", kTop + kSide / 2,
                ") rotate(-90)\">used at step j</text>");
  return svg + "</svg>";
}

std::string change_chart(std::span<const ChangeMap* const> maps) {
  constexpr double kBottom = 230;
  double most = 1e-6;
  for (const ChangeMap* map : maps) {
    for (const auto& [step, change] : map->along(1)) {
      most = std::max(most, 100 * change);
    }
  }
  const Axis y{0, most, kBottom, kTop};
  const Axis x{0, static_cast<double>(std::max<int64_t>(maps.front()->steps() - 1, 1)), kLeft,
               kRight};
  std::string svg = open_chart(kBottom + 40, "change from one decoding step to the next");
  for (const double value : ticks_of(most)) {
    svg += line(kLeft, y.at(value), kRight, y.at(value), "grid");
    svg += words(kLeft - 6, y.at(value) + 4, "end", short_number(value) + " %");
  }
  const int64_t every = std::max<int64_t>(1, maps.front()->steps() / 8);
  for (int64_t step = 0; step < maps.front()->steps(); step += every) {
    svg += words(x.at(static_cast<double>(step)), kBottom + 15, "middle", std::to_string(step));
  }
  for (size_t i = 0; i < maps.size(); ++i) {
    svg += concat("<polyline class=\"curve l", i, "\" points=\"");
    for (const auto& [step, change] : maps[i]->along(1)) {
      svg +=
          coordinate(x.at(static_cast<double>(step))) + "," + coordinate(y.at(100 * change)) + " ";
    }
    svg += "\"/>";
  }
  return svg +
         words((kLeft + kRight) / 2, kBottom + 34, "middle",
               "decoding step; change since the step before") +
         "</svg>";
}

}  // namespace lazymar
