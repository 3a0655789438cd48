#pragma once
/// Variables of the environment, from a function that tests replace.

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

namespace lazymar {

using Environment = std::function<const char*(const char*)>;

/// This process's own.
inline const char* own_environment(const char* name) {
  return std::getenv(name);
}

/// A variable's text; empty if it is not set.
inline std::string text_of(const Environment& environment, const char* name) {
  const char* const text = environment(name);
  return text != nullptr ? text : "";
}

/// The positive number that a variable begins with; nothing if there is none.
inline std::optional<int64_t> leading_number(const Environment& environment, const char* name) {
  std::istringstream in(text_of(environment, name));
  int64_t number = 0;
  return in >> number && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace lazymar
