#include "cli/program.h"

namespace lazymar {
namespace {

std::string word_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += concat(text.empty() ? "" : " ", word);
  }
  return text;
}

std::string with_dashes(const std::string& name) {
  return "--" + name;
}

}  // namespace

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
      values += concat("    --", option.name, ") _lazymar_words '", word_list(option.words),
                       "'; return ;;\n");
    } else if (!option.value.empty() && !option.path) {
      free_values += concat(free_values.empty() ? "" : "|", with_dashes(option.name));
    }
  }
  if (!free_values.empty()) {
    values += concat("    ", free_values, ") return ;;\n");
  }
  return concat("# Completion for bash: source <(", program.name, " --help bash)\n",
                "_lazymar_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- ",
                "\"${COMP_WORDS[COMP_CWORD]}\"); }\n_", program.name,
                "() {\n  COMPREPLY=()\n  local previous=${COMP_WORDS[COMP_CWORD-1]#--}\n",
                "  case --${previous//-/_} in\n", values,
                "  esac\n  [[ ${COMP_WORDS[COMP_CWORD]} != -* ]] || _lazymar_words '",
                word_list(names), "'\n}\ncomplete -o default -F _", program.name, " ", program.name,
                "\n");
}

}  // namespace lazymar
