#include "cli/arguments.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace lazymar {
namespace {

constexpr std::string_view kTopics[] = {"all", "man", "bash"};

bool is_topic(std::string_view word) {
  return std::find(std::begin(kTopics), std::end(kTopics), word) != std::end(kTopics);
}

/// Levenshtein's distance.
size_t edits(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

Error unknown(std::span<const OptionInfo> options, const std::string& name) {
  const OptionInfo* nearest = nullptr;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const OptionInfo& option : options) {
    const size_t distance = edits(name, option.name);
    if (!option.hidden && distance < least) {
      least = distance;
      nearest = &option;
    }
  }
  return usage_error("--", name, ": unknown option; ",
                     nearest ? concat("did you mean --", nearest->name, "? ") : "",
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
    throw usage_error("--help ", *value, ": use all, man or bash, or leave it out");
  }
  help_ = value.value_or(next != nullptr && is_topic(next) ? next : "");
  return true;
}

}  // namespace lazymar
