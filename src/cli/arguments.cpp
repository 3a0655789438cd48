#include "cli/arguments.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cli/help_topics.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/text.h"

namespace lazymar {
namespace {

bool is_topic(const std::string& word) {
  const std::vector<std::string> topics = topic_words();
  return std::find(topics.begin(), topics.end(), word) != topics.end();
}

Error unknown(std::span<const OptionInfo> options, const std::string& name) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) {
    if (!option.hidden) {
      names.push_back(option.name);
    }
  }
  return usage_error("--", name, ": unknown option; ", did_you_mean(name, names, "did you mean --"),
                     "--help all lists every option");
}

const OptionInfo& find(std::span<const OptionInfo> options, const std::string& name) {
  for (const OptionInfo& option : options) {
    const auto& aliases = option.aliases;
    if (option.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return option;
    }
  }
  throw unknown(options, name);
}

}  // namespace

std::string option_name(std::string word) {
  word.erase(0, word.starts_with("--") ? 2 : 0);
  std::replace(word.begin(), word.end(), '-', '_');
  return word;
}

Arguments::Arguments(std::span<const OptionInfo> options, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* next = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--") {
      operands_.insert(operands_.end(), argv + i + 1, argv + argc);
      return;
    }
    if (word != "-h" && !word.starts_with("--")) {
      if (word.size() > 1 && word.starts_with("-")) {
        throw usage_error("unexpected argument \"", word, "\"; --help lists the options");
      }
      operands_.push_back(word);
      continue;
    }
    const size_t end = word.find('=');
    const std::string name = word == "-h" ? "help" : option_name(word.substr(0, end));
    const std::optional<std::string> value =
        end == std::string::npos ? std::nullopt : std::optional(word.substr(end + 1));
    if (read_information(name, value, next)) {
      return;
    }
    const OptionInfo& option = find(options, name);
    if (option.value.empty() && value) {
      throw usage_error(word, ": --", option.name, " is a switch and takes no value");
    }
    if (!option.value.empty() && !value && next == nullptr) {
      throw usage_error("--", name, ": needs a value: --", option.name, " ", option.value);
    }
    texts_[option.name] = value.value_or("");
    if (!option.value.empty() && !value && next != nullptr) {
      texts_[option.name] = next;
      ++i;
    }
  }
}

bool Arguments::read_information(const std::string& name, const std::optional<std::string>& value,
                                 const char* next) {
  if (name == "version" && !value) {
    version_ = true;
    return true;
  }
  if (name != "help") {
    return false;
  }
  if (value && !is_topic(*value)) {
    throw usage_error("--help ", *value, ": use ", alternatives(topic_words()),
                      ", or leave it out");
  }
  help_ = value.value_or(next != nullptr && is_topic(next) ? next : "");
  return true;
}

}  // namespace lazymar
