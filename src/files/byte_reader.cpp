#include "files/byte_reader.h"

#include "core/text.h"

namespace lazymar {

std::string one_line(std::string_view text, size_t longest) {
  return visible(text.substr(0, longest)) + (text.size() > longest ? "..." : "");
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 100;
  return concat('"', one_line(text, kLongest), '"');
}

}  // namespace lazymar
