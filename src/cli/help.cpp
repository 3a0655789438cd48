#include <algorithm>
#include <sstream>
#include <utility>

#include "cli/arguments.h"
#include "cli/help_topics.h"
#include "cli/parse.h"
#include "cli/program.h"
#include "core/option_field.h"
#include "core/revision.h"

namespace lazymar {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kColumn = 27;     ///< where the help texts begin
constexpr size_t kKeptWhole = 40;  ///< defaults up to this size are not wrapped

/// `text` after `line`, wrapped into lines that begin at kColumn.
std::string wrapped(std::string line, const std::string& text) {
  std::string result;
  if (line.size() + 2 > kColumn) {
    result = line + "\n";
    line.clear();
  }
  line.resize(kColumn, ' ');
  const size_t default_at = text.size() < kKeptWhole ? 0 : text.size() - kKeptWhole;
  const size_t whole = std::min(text.find("[default:", default_at), text.size());
  std::istringstream words(text.substr(0, whole));
  auto next = [&, last = text.substr(whole)](std::string& word) mutable {
    return words >> word || !(word = std::exchange(last, "")).empty();
  };
  bool first = true;
  for (std::string word; next(word); first = false) {
    if (!first && line.size() + 1 + word.size() > kWidth) {
      result += line + "\n";
      line = std::string(kColumn, ' ') + word;
    } else {
      line += (first ? "" : " ") + word;
    }
  }
  return result + line + "\n";
}

std::string option_line(const OptionInfo& option) {
  return wrapped(concat("  --", option.name, option.value.empty() ? "" : " ", option.value),
                 help_sentence(option));
}

std::string options_text(std::span<const OptionInfo> options, const std::string& between) {
  std::string text;
  for (const auto& [group, members] : grouped(options)) {
    text += concat(text.empty() ? "" : between, group, ":\n");
    for (const OptionInfo& option : members) {
      text += option_line(option);
    }
  }
  return text;
}

std::string examples(const Program& program) {
  std::string text = "\nExamples:\n";
  for (const Example& example : program.examples) {
    text += concat("  ", example.command, "\n      ", example.what, "\n");
  }
  return text;
}

}  // namespace

std::string usage(const Program& program) {
  return concat("Usage: ", program.name, " [OPTION...]", program.operands.empty() ? "" : " ",
                program.operands, "\n");
}

std::vector<OptionInfo> information_options() {
  return {{.name = "help",
           .value = "[TOPIC]",
           .group = "Information",
           .help = concat("Print this screen, or ", alternatives(topic_words()), "."),
           .main = true,
           .words = topic_words()},
          {.name = "version",
           .group = "Information",
           .help = "Print the version and the git revision."}};
}

std::vector<OptionInfo> with_information(std::vector<OptionInfo> options) {
  for (OptionInfo& option : information_options()) {
    options.push_back(std::move(option));
  }
  return options;
}

std::string help_sentence(const OptionInfo& option) {
  if (option.value.empty() || option.value.starts_with("[")) {
    return option.help;
  }
  return concat(option.help,
                " [default: ", option.default_text.empty() ? "none" : option.default_text, "]");
}

std::vector<std::pair<std::string, std::vector<OptionInfo>>> grouped(
    std::span<const OptionInfo> options) {
  std::vector<std::pair<std::string, std::vector<OptionInfo>>> groups;
  for (const OptionInfo& option : options) {
    if (option.hidden) {
      continue;
    }
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == option.group; });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {option.group, {}});
    }
    group->second.push_back(option);
  }
  return groups;
}

std::string short_usage(const Program& program) {
  std::string text = concat(usage(program), program.summary, "\n\nTry:\n");
  for (size_t i = 0; i < 2; ++i) {
    text += concat("  ", program.examples[i].command, "\n");
  }
  return concat(text, "Options: ", program.name, " --help\n");
}

std::string first_screen(const Program& program, std::span<const OptionInfo> options) {
  std::vector<OptionInfo> shown;
  for (const OptionInfo& option : options) {
    if (option.main) {
      shown.push_back(option);
    }
  }
  return concat(usage(program), program.summary, "\n\n", options_text(shown, ""),
                examples(program));
}

std::string all_options(const Program& program, std::span<const OptionInfo> options) {
  return concat(usage(program), program.summary,
                "\nIn names of options, dashes and underscores are equal.\n\n",
                options_text(options, "\n"), examples(program));
}

std::optional<std::string> information(const Program& program, const Arguments& arguments,
                                       std::vector<OptionInfo> options) {
  if (arguments.version()) {
    return concat(program.name, " ", version_string(), "\n");
  }
  if (!arguments.help()) {
    return std::nullopt;
  }
  return help_topic(*arguments.help()).text(program, with_information(std::move(options)));
}

}  // namespace lazymar
