#include "core/option_field.h"

#include <charconv>
#include <system_error>

#include "core/text.h"

namespace lazymar {
namespace {

template <typename T>
std::optional<T> parse(const std::string& text, T least, T most) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [next, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || next != end || !(number >= least && number <= most)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

int64_t read_integer(const std::string& text, int64_t least, int64_t most) {
  const auto number = parse<int64_t>(text, least, most);
  if (!number) {
    throw usage_error(text, ": must be a whole number from ", least, " to ", most);
  }
  return *number;
}

double read_number(const std::string& text, double least, double most) {
  const auto number = parse<double>(text, least, most);
  if (!number) {
    throw usage_error(text, ": must be a number from ", least, " to ", most);
  }
  return *number;
}

std::string alternatives(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    text += concat(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  }
  return text;
}

std::string use_one_of(const std::string& word, const std::vector<std::string>& words) {
  return concat(did_you_mean(word, words), "use ", alternatives(words));
}

}  // namespace lazymar
