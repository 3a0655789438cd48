#include "files/byte_reader.h"

namespace lazymar {

std::string one_line(std::string_view text, size_t longest) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  std::string result;
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < kFirstPrintable || byte == kDelete ? '?' : c;
  }
  return result + (text.size() > longest ? "..." : "");
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 100;
  return concat('"', one_line(text, kLongest), '"');
}

}  // namespace lazymar
