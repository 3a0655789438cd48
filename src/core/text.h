#pragma once
/// Small tools for text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// A to Z become a to z; other characters stay.
std::string lower(std::string text);

/// Text from outside for a terminal: control characters (C0, DEL, C1) as "\\x1b", characters that
/// turn the direction of text as "\\u202e", bytes that are no UTF-8 as "\\xff", so that they
/// neither act nor hide. `keep_lines`: line feeds stay.
std::string visible(std::string_view text, bool keep_lines = false);

/// "a,b" -> {"a", "b"}; an empty text is one empty part.
std::vector<std::string> split(const std::string& text, char separator);

/// The text up to the end of its first line.
inline std::string before_newline(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// How many characters must change, come or go to turn one text into the other (Levenshtein).
size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that a misspelled word most likely means, without regard to case; empty if none is
/// near: more than a third of the word and more than two characters differ, or all of it.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

/// That candidate as a part of a message, "did you mean bf16? ", between these two texts; empty if
/// none is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         std::string_view before = "did you mean ", std::string_view after = "? ");

/// {"a", "b"} -> "a, b".
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The shortest text that reads back as the same number: "0.1", "1e+06".
std::string shortest_text(double value);

/// "1.6 GiB".
std::string gib_text(double bytes);

/// A whole number from 0 that is the entire text; -1 otherwise.
int64_t parse_index(const std::string& text);

}  // namespace lazymar
