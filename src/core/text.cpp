#include "core/text.h"

#include <array>
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

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    text.append(i == 0 ? "" : separator).append(parts[i]);
  }
  return text;
}

std::string shortest_text(double value) {
  std::array<char, 32> digits{};
  const auto [end, status] = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                           std::chars_format::general);
  return {digits.data(), end};
}

int64_t parse_index(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  return status == std::errc() && next == end && number >= 0 ? number : -1;
}

}  // namespace lazymar
