#include "core/text.h"

#include <charconv>
#include <system_error>

namespace lazymar {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

int64_t parse_index(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  return status == std::errc() && next == end && number >= 0 ? number : -1;
}

}  // namespace lazymar
