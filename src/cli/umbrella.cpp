#include "cli/umbrella.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/help_topics.h"
#include "cli/run_main.h"
#include "core/error.h"
#include "core/option_field.h"
#include "core/revision.h"
#include "core/text.h"
#include "generate/command.h"
#include "pipeline/convert.h"
#include "pipeline/option_rows.h"
#include "report/compare.h"
#include "score/command.h"
#include "verify/int8_control.h"
#include "verify/verify.h"

namespace lazymar {
namespace {

struct Command {
  const char* word;
  const Program& (*program)();
  std::vector<OptionInfo> (*options)();
  int (*main)(int argc, char** argv);
};

constexpr Command kCommands[] = {
    {"eval", eval_program, [] { return describe(eval_rows()); },
     [](int argc, char** argv) {
       return run_tool(eval_program(), parse_eval_options, argc, argv,
                       [&](const EvalOptions& options) { return launch(options, argv); });
     }},
    {"score", score_program, [] { return describe(score_rows()); },
     [](int argc, char** argv) {
       return run_tool(score_program(), parse_score_options, argc, argv, score);
     }},
    {"compare", compare_program, [] { return describe(compare_rows()); },
     [](int argc, char** argv) {
       return run_tool(compare_program(), parse_compare_options, argc, argv,
                       [](const CompareOptions& options) { return compare(options); });
     }},
    {"bench", bench_program, [] { return describe(bench_rows()); },
     [](int argc, char** argv) {
       return run_tool(bench_program(), parse_bench_options, argc, argv, bench);
     }},
    {"verify", verify_program, [] { return describe(verify_rows()); },
     [](int argc, char** argv) {
       add_int8_control();
       return run_tool(verify_program(), parse_verify_options, argc, argv, verify);
     }},
    {"convert", convert_program, [] { return describe(convert_rows()); },
     [](int argc, char** argv) {
       return run_tool(convert_program(), parse_convert_options, argc, argv, convert);
     }},
    {"doctor", doctor_program, [] { return describe(doctor_rows()); },
     [](int argc, char** argv) {
       return run_tool(doctor_program(), parse_doctor_options, argc, argv, examine);
     }}};

template <typename Names>
const Command* command_with(Names names) {
  const auto* found = std::find_if(std::begin(kCommands), std::end(kCommands), names);
  return found == std::end(kCommands) ? nullptr : found;
}

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

ExitCode run_without_command(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(first_page().c_str(), stderr);
    return ExitCode::kUsage;
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
  throw usage_error("\"", visible(argv[1]), "\": no such command; ",
                    use_one_of(argv[1], command_words()));
}

}  // namespace

int umbrella_main(int argc, char** argv) {
  const std::string called = argc < 1 ? "" : std::filesystem::path(argv[0]).filename().string();
  if (const Command* named =
          command_with([&](const Command& command) { return command.program().name == called; })) {
    return named->main(argc, argv);
  }
  const std::string_view word = argc < 2 ? "" : argv[1];
  if (const Command* given =
          command_with([&](const Command& command) { return command.word == word; })) {
    // A process that this one starts is called with the same arguments.
    std::string name = given->program().name;
    argv[1] = name.data();
    return given->main(argc - 1, argv + 1);
  }
  return run_main("lazymar", [&] { return run_without_command(argc, argv); });
}

}  // namespace lazymar
