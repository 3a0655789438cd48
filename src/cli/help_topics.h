#pragma once
/// What --help can print, as a table: one row is one TOPIC of --help TOPIC.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/program.h"

namespace lazymar {

struct HelpTopic {
  std::string_view word;  ///< empty: --help alone
  std::string (*text)(const Program& program, std::span<const OptionInfo> options);
};

std::span<const HelpTopic> help_topics();

/// The row of that word, which must be one.
const HelpTopic& help_topic(std::string_view word);

/// The words of all topics but the empty one.
std::vector<std::string> topic_words();

}  // namespace lazymar
