#pragma once
/// Tables in Markdown.

#include <cstdio>
#include <string>
#include <vector>

namespace lazymar {

/// As printf's.
template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, pattern, values...)), '\0');
  std::snprintf(text.data(), text.size() + 1, pattern, values...);
  return text;
}

/// A row.
inline std::string cells(const std::vector<std::string>& texts) {
  std::string line = "|";
  for (const std::string& text : texts) {
    line += " " + text + " |";
  }
  return line + "\n";
}

/// Titles, with the rule below: numbers to the right of the first column.
inline std::string heading(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (size_t i = 0; i < titles.size(); ++i) {
    rule += i == 0 ? "---|" : "---:|";
  }
  return cells(titles) + rule + "\n";
}

}  // namespace lazymar
