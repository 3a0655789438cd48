#include "cli/help_topics.h"

namespace lazymar {

std::span<const HelpTopic> help_topics() {
  static constexpr HelpTopic kTopics[] = {{"", first_screen},        {"all", all_options},
                                          {"man", man_page},         {"markdown", markdown_section},
                                          {"bash", bash_completion}, {"zsh", zsh_completion}};
  return kTopics;
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
