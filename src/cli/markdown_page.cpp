#include "cli/program.h"

namespace lazymar {
namespace {

/// Text for a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '<' || c == '_' || c == '[') {
      result.push_back('\\');
    }
    result.push_back(c);
  }
  return result;
}

/// `text` as code in a cell, where | still ends the cell.
std::string code(const std::string& text) {
  std::string result = "`";
  for (const char c : text) {
    result += c == '|' ? "\\|" : std::string(1, c);
  }
  return result + "`";
}

}  // namespace

std::string markdown_section(const Program& program, std::span<const OptionInfo> options) {
  std::string text =
      concat("## ", program.name, "\n\n", program.summary, "\n\n```\n", usage(program), "```\n");
  for (const auto& [group, members] : grouped(options)) {
    text += concat("\n**", group, "**\n\n| option | meaning |\n|---|---|\n");
    for (const OptionInfo& option : members) {
      text += concat(
          "| ", code(concat("--", option.name, option.value.empty() ? "" : " ", option.value)),
          " | ", cell(help_sentence(option)),
          option.range.empty() ? "" : cell(concat(" Accepted: ", option.range, ".")), " |\n");
    }
  }
  text += "\nExamples:\n";
  for (const Example& example : program.examples) {
    text += concat("\n```bash\n", example.command, "   # ", example.what, "\n```\n");
  }
  return text;
}

}  // namespace lazymar
