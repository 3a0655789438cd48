#pragma once
/// A program's description, and the texts made from its rows.

#include <span>
#include <string>
#include <vector>

#include "core/option_row.h"

namespace lazymar {

struct Example {
  std::string command;
  std::string what;  ///< an imperative sentence
};

struct Program {
  std::string name;
  std::string summary;            ///< one sentence
  std::string operands;           ///< as shown in the usage; empty: there are none
  std::vector<Example> examples;  ///< the first two work right away, in a checkout
  bool works_alone = false;       ///< without arguments, too
};

/// The programs, in the order of a user's work.
const Program& eval_program();
const Program& score_program();
const Program& compare_program();
const Program& bench_program();
const Program& verify_program();
const Program& convert_program();
const Program& doctor_program();

/// "Usage: lazymar_eval [OPTION...]" and a line feed.
std::string usage(const Program& program);

/// For a command line without arguments.
std::string short_usage(const Program& program);
/// --help: what the main job needs, on one screen.
std::string first_screen(const Program& program, std::span<const OptionInfo> options);
/// --help all.
std::string all_options(const Program& program, std::span<const OptionInfo> options);
/// --help man, in roff.
std::string man_page(const Program& program, std::span<const OptionInfo> options);
/// --help markdown: a section of docs/cli.md.
std::string markdown_section(const Program& program, std::span<const OptionInfo> options);
/// --help bash: a script to source.
std::string bash_completion(const Program& program, std::span<const OptionInfo> options);
/// --help zsh: a script to source.
std::string zsh_completion(const Program& program, std::span<const OptionInfo> options);
/// The shell function that both define: "_lazymar_eval".
std::string completion_function(const Program& program);

/// --help and --version, as rows.
std::vector<OptionInfo> information_options();
/// A program's options, then these.
std::vector<OptionInfo> with_information(std::vector<OptionInfo> options);

/// An option's sentence and its default: "Generate N images. [default: 50000]".
std::string help_sentence(const OptionInfo& option);

/// Groups of listed options, in the table's order.
std::vector<std::pair<std::string, std::vector<OptionInfo>>> grouped(
    std::span<const OptionInfo> options);

}  // namespace lazymar
