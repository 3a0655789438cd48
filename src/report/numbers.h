#pragma once
/// Numbers formatted for people.

#include <cstdio>
#include <optional>
#include <string>

namespace lazymar {

/// With that many decimals; "-" if there is no value.
inline std::string number_text(const std::optional<double>& number, int digits) {
  if (!number) {
    return "-";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, *number);
  return text;
}

}  // namespace lazymar
