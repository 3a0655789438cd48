#include "cli/help_topics.h"

#include <algorithm>

namespace lazymar {

std::span<const HelpTopic> help_topics() {
  static constexpr HelpTopic kTopics[] = {{"", first_screen},        {"all", all_options},
                                          {"man", man_page},         {"markdown", markdown_section},
                                          {"bash", bash_completion}, {"zsh", zsh_completion}};
  return kTopics;
}

const HelpTopic& help_topic(std::string_view word) {
  const auto topics = help_topics();
  return *std::find_if(topics.begin(), topics.end(),
                       [&](const HelpTopic& topic) { return topic.word == word; });
}

std::vector<std::string> topic_words() {
  std::vector<std::string> words;
  for (const HelpTopic& topic : help_topics()) {
    if (!topic.word.empty()) {
      words.emplace_back(topic.word);
    }
  }
  return words;
}

}  // namespace lazymar
