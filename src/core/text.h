#pragma once
/// Small tools for text.

#include <cstdint>
#include <string>
#include <vector>

namespace lazymar {

/// "a,b" -> {"a", "b"}; an empty text is one empty part.
std::vector<std::string> split(const std::string& text, char separator);

/// A whole number from 0 that is the entire text; -1 otherwise.
int64_t parse_index(const std::string& text);

}  // namespace lazymar
