#include <algorithm>
#include <string>
#include <vector>

#include "cli/program.h"
#include "core/error.h"
#include "core/text.h"

namespace lazymar {
namespace {

std::string with_dashes(const std::string& name) {
  return "--" + name;
}

/// Text inside the brackets of a specification of zsh's _arguments, in single quotes.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result.push_back('\\');
    }
    result += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return result;
}

/// The names a program is called by: that of the build, and that of the Python package. None if it
/// is only a command of `lazymar`.
std::vector<std::string> callable_names(const Program& program) {
  if (program.name.find(' ') != std::string::npos) {
    return {};
  }
  std::string dashed = program.name;
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return {program.name, dashed};
}

}  // namespace

std::string completion_function(const Program& program) {
  std::string name = "_" + program.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::string bash_completion(const Program& program, std::span<const OptionInfo> options) {
  std::vector<std::string> names;
  std::string values;       // a case per option that takes words
  std::string free_values;  // those that take anything
  for (const OptionInfo& option : options) {
    if (option.hidden) {
      continue;
    }
    names.push_back(with_dashes(option.name));
    if (!option.words.empty()) {
      values += concat("    --", option.name, ") _lazymar_words '", join(option.words, " "),
                       "'; return ;;\n");
    } else if (!option.value.empty() && !option.path) {
      free_values += concat(free_values.empty() ? "" : "|", with_dashes(option.name));
    }
  }
  if (!free_values.empty()) {
    values += concat("    ", free_values, ") return ;;\n");
  }
  const std::string function = completion_function(program);
  std::string text =
      concat("# Completion for bash: source <(", program.name, " --help bash)\n",
             "_lazymar_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- ",
             "\"${COMP_WORDS[COMP_CWORD]}\"); }\n", function,
             "() {\n  COMPREPLY=()\n  local previous=${COMP_WORDS[COMP_CWORD-1]#--}\n",
             "  case --${previous//-/_} in\n", values,
             "  esac\n  [[ ${COMP_WORDS[COMP_CWORD]} != -* ]] || _lazymar_words '",
             join(names, " "), "'\n}\n");
  if (const auto called = callable_names(program); !called.empty()) {
    text += concat("complete -o default -F ", function, " ", join(called, " "), "\n");
  }
  return text;
}

std::string zsh_completion(const Program& program, std::span<const OptionInfo> options) {
  const std::string function = completion_function(program);
  std::string text = concat("# Completion for zsh, after compinit: source <(", program.name,
                            " --help zsh)\n", function, "() {\n  _arguments \\\n");
  for (const OptionInfo& option : options) {
    if (option.hidden) {
      continue;
    }
    text += concat("    '--", option.name, "[", zsh_text(option.help), "]");
    if (!option.value.empty()) {
      text += concat(":", zsh_text(option.value), ":",
                     !option.words.empty() ? concat("(", join(option.words, " "), ")")
                     : option.path         ? "_files"
                                           : "");
    }
    text += "' \\\n";
  }
  text += "    '*:file:_files'\n}\n";
  if (const auto called = callable_names(program); !called.empty()) {
    text += concat("compdef ", function, " ", join(called, " "), "\n");
  }
  return text;
}

}  // namespace lazymar
