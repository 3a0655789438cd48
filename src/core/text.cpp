#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <numeric>
#include <system_error>
#include <utility>

namespace lazymar {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return text;
}

namespace {

/// The bytes of the UTF-8 character that `text` begins with, and its code point; 0 bytes if it is
/// none.
std::pair<size_t, uint32_t> utf8_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 0 || size > text.size() || first > 0xf4) {
    return {0, 0};
  }
  uint32_t code = size == 1 ? first : first & (0xffU >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {0, 0};
    }
    code = code << 6 | (byte(i) & 0x3fU);
  }
  return {size, code};
}

/// C0, DEL, C1, and what turns the direction of text.
bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
         (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(char kind, uint32_t code, int digits) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text{'\\', kind};
  for (int digit = digits - 1; digit >= 0; --digit) {
    text += kDigits[code >> (4 * digit) & 15U];
  }
  return text;
}

}  // namespace

std::string visible(std::string_view text, bool keep_lines) {
  std::string result;
  while (!text.empty()) {
    const auto [size, code] = utf8_character(text);
    if (size == 0) {
      result += escaped('x', static_cast<unsigned char>(text[0]), 2);
    } else if (!is_control(code) || (keep_lines && code == '\n')) {
      result += text.substr(0, size);
    } else {
      result += code < 0x100 ? escaped('x', code, 2) : escaped('u', code, 4);
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return result;
}

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

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates) {
  std::string nearest;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(lower(word), lower(candidate));
    if (distance < least && distance < word.size()) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         std::string_view before, std::string_view after) {
  const std::string nearest = nearest_word(word, candidates);
  return nearest.empty() ? "" : std::string(before).append(nearest).append(after);
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

std::string gib_text(double bytes) {
  constexpr double kGiB = 1 << 30;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", bytes / kGiB);
  return text.data();
}

int64_t parse_index(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  return status == std::errc() && next == end && number >= 0 ? number : -1;
}

}  // namespace lazymar
