#include "cli/umbrella.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/help_topics.h"
#include "cli/run_main.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/revision.h"
#include "core/text.h"
#include "pipeline/option_rows.h"

namespace lazymar {
namespace {

struct Command {
  const char* word;
  const Program& (*program)();
  std::vector<OptionInfo> (*options)();
};

constexpr Command kCommands[] = {
    {"eval", eval_program, [] { return describe(eval_rows()); }},
    {"score", score_program, [] { return describe(score_rows()); }},
    {"compare", compare_program, [] { return describe(compare_rows()); }},
    {"bench", bench_program, [] { return describe(bench_rows()); }},
    {"verify", verify_program, [] { return describe(verify_rows()); }},
    {"convert", convert_program, [] { return describe(convert_rows()); }},
    {"doctor", doctor_program, [] { return describe(doctor_rows()); }}};

std::vector<std::string> command_words() {
  std::vector<std::string> words;
  for (const Command& command : kCommands) {
    words.emplace_back(command.word);
  }
  return words;
}

std::string overview(std::string_view heading, std::string_view before, std::string_view after) {
  std::string text(heading);
  for (const Command& command : kCommands) {
    text += concat(before, command.word, after, command.program().summary, "\n");
  }
  return text;
}

std::string first_page() {
  std::string text =
      "Usage: lazymar COMMAND [OPTION...]\nGenerates images with MAR and LazyMAR, and judges "
      "them.\n\n";
  for (const Command& command : kCommands) {
    std::string word = concat("  ", command.word);
    word.resize(11, ' ');
    text += concat(word, command.program().summary, "\n");
  }
  return concat(text,
                "\nlazymar COMMAND --help lists a command's options; lazymar --help TOPIC prints ",
                alternatives(topic_words()), " for all of them.\n");
}

std::string man_overview() {
  return concat(
      overview(concat(".TH LAZYMAR 1 \"\" \"lazymar ", version_string(), "\"\n.SH NAME\n",
                      "lazymar \\- generates images with MAR and LazyMAR, and judges them\n",
                      ".SH SYNOPSIS\n\\fBlazymar\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n",
                      ".SH COMMANDS\n"),
               ".TP\n\\fB", "\\fR\n"),
      ".SH SEE ALSO\nlazymar_eval(1), and the other programs' pages: lazymar COMMAND \\-\\-help "
      "man\n");
}

/// What follows the commands' own completions.
std::string dispatch_of(std::string_view shell) {
  std::string cases;
  for (const Command& command : kCommands) {
    cases += concat("    ", command.word, ") ", completion_function(command.program()), " ;;\n");
  }
  const std::string described = join(command_words(), " ");
  if (shell == "bash") {
    return concat("_lazymar() {\n  COMPREPLY=()\n  if ((COMP_CWORD == 1)); then\n",
                  "    _lazymar_words '", described, "'; return\n  fi\n",
                  "  case ${COMP_WORDS[1]} in\n", cases,
                  "  esac\n}\ncomplete -o default -F _lazymar lazymar\n");
  }
  return concat("_lazymar() {\n  local state\n  _arguments '1:command:(", described,
                ")' '*::argument:->rest'\n  [[ $state == rest ]] || return\n  case $words[1] in\n",
                cases, "  esac\n}\ncompdef _lazymar lazymar\n");
}

std::string help_of_all(const HelpTopic& topic) {
  if (topic.word.empty()) {
    return first_page();
  }
  if (topic.word == "man") {
    return man_overview();
  }
  std::string text = topic.word == "markdown"
                         ? "# Command line\n\nMade by `lazymar --help markdown`. `lazymar eval` "
                           "and `lazymar_eval` are the same program.\nIn names of options, dashes "
                           "and underscores are equal.\n"
                         : "";
  for (const Command& command : kCommands) {
    text += concat(topic.word == "markdown" || topic.word == "all" ? "\n" : "",
                   topic.text(command.program(), with_information(command.options())));
  }
  const bool shell = topic.word == "bash" || topic.word == "zsh";
  return shell ? text + dispatch_of(topic.word) : text;
}

/// Replaces this process by the program beside it.
[[noreturn]] void become(const std::string& name, char** argv) {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
  std::string path = program.string();
  argv[0] = path.data();
  ::execv(path.c_str(), argv);
  throw usage_error(path, ": cannot be started: ", std::strerror(errno));
}

ExitCode run_command(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(first_page().c_str(), stderr);
    return ExitCode::kUsage;
  }
  const std::string word = argv[1];
  const auto command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                    [&](const Command& row) { return word == row.word; });
  if (command != std::end(kCommands)) {
    become(command->program().name, argv + 1);
  }
  const Arguments arguments({}, argc, argv);
  if (arguments.version()) {
    std::printf("lazymar %s\n", version_string().c_str());
    return ExitCode::kDone;
  }
  if (arguments.help()) {
    std::fputs(help_of_all(help_topic(*arguments.help())).c_str(), stdout);
    return ExitCode::kDone;
  }
  throw usage_error("\"", visible(word), "\": no such command; ",
                    use_one_of(word, command_words()));
}

}  // namespace

int umbrella_main(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == "doctor") {
    return run_tool(doctor_program(), parse_doctor_options, argc - 1, argv + 1, examine);
  }
  return run_main("lazymar", [&] { return run_command(argc, argv); });
}

}  // namespace lazymar
