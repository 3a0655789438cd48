#pragma once
/// Small tools for text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// "a,b" -> {"a", "b"}; an empty text is one empty part.
std::vector<std::string> split(const std::string& text, char separator);

/// {"a", "b"} -> "a, b".
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The shortest text that reads back as the same number: "0.1", "1e+06".
std::string shortest_text(double value);

/// A whole number from 0 that is the entire text; -1 otherwise.
int64_t parse_index(const std::string& text);

}  // namespace lazymar
