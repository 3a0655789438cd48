#include "report/sections.h"

#include "core/error.h"
#include "report/numbers.h"

namespace lazymar {

std::string section(const char* id, const char* title, const std::string& body) {
  return concat("<section id=\"", id, "\"><h2>", title, "</h2>", body, "</section>\n");
}

std::string cells(const char* tag, const std::vector<std::string>& values) {
  std::string row = "<tr>";
  for (const std::string& value : values) {
    row += concat("<", tag, ">", value, "</", tag, ">");
  }
  return row + "</tr>";
}

std::string percent(const std::optional<double>& share) {
  return share ? number_text(100 * *share, 1) + " %" : "-";
}

PairStatistics likeness(const Comparison& comparison, size_t run) {
  return run == 0 ? PairStatistics() : statistics(comparison.paired[run - 1].pairs);
}

}  // namespace lazymar
