#pragma once
/// Variables of the environment, from a function that tests replace.

#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

namespace lazymar {

using Environment = std::function<const char*(const char*)>;

/// The positive number that a variable begins with; nothing if there is none.
inline std::optional<int64_t> leading_number(const Environment& environment, const char* name) {
  const char* text = environment(name);
  std::istringstream in(text != nullptr ? text : "");
  int64_t number = 0;
  return in >> number && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace lazymar
