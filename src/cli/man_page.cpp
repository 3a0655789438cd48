#include <algorithm>
#include <cctype>

#include "cli/program.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/revision.h"

namespace lazymar {
namespace {

/// Text that roff takes literally.
std::string escaped(const std::string& text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\' || c == '-') {
      result.push_back('\\');
    }
    result.push_back(c == '\\' ? 'e' : c);
  }
  return result;
}

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// A page's name: one word.
std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string option_entry(const OptionInfo& option) {
  std::string text = concat(".TP\n\\fB\\-\\-", escaped(option.name), "\\fR");
  if (!option.value.empty()) {
    text += concat(" \\fI", escaped(option.value), "\\fR");
  }
  text += concat("\n", escaped(help_sentence(option)));
  if (!option.range.empty()) {
    text += escaped(concat(" Accepted: ", option.range, "."));
  }
  return text + "\n";
}

std::string exit_statuses() {
  constexpr std::pair<ExitCode, const char*> kStatuses[] = {
      {ExitCode::kDone, "Success."},
      {ExitCode::kFailed, "It ran, and the answer is no: failed images, or over the tolerance."},
      {ExitCode::kUsage, "Input or settings cannot be used."},
      {ExitCode::kInternal, "A bug, or a library that gave up."},
      {ExitCode::kDeviceFault, "The GPU refuses all further work of the process."},
      {ExitCode::kOutput, "Output cannot be written."},
      {ExitCode::kIncomplete, "Stopped before the end. Run it again to continue."},
      {ExitCode::kInterrupted, "Interrupted twice."}};
  std::string text;
  for (const auto& [code, meaning] : kStatuses) {
    text += concat(".TP\n", static_cast<int>(code), "\n", escaped(meaning), "\n");
  }
  return text;
}

}  // namespace

std::string man_page(const Program& program, std::span<const OptionInfo> options) {
  const std::string title = dashed(program.name);
  std::string text =
      concat(".TH ", upper_case(title), " 1 \"\" \"lazymar ", version_string(), "\"\n",
             ".SH NAME\n", title, " \\- ", escaped(program.summary), "\n", ".SH SYNOPSIS\n\\fB",
             program.name, "\\fR [\\fIOPTION\\fR...] ", escaped(program.operands),
             "\n.SH DESCRIPTION\n", escaped(program.summary),
             "\nIn names of options, dashes and underscores are equal.\n.SH OPTIONS\n");
  for (const auto& [group, members] : grouped(options)) {
    text += concat(".SS ", group, "\n");
    for (const OptionInfo& option : members) {
      text += option_entry(option);
    }
  }
  text += concat(".SH EXIT STATUS\n", exit_statuses(), ".SH EXAMPLES\n");
  for (const Example& example : program.examples) {
    text += concat(".PP\n", escaped(example.what), "\n.PP\n.nf\n.RS\n", escaped(example.command),
                   "\n.RE\n.fi\n");
  }
  std::string others;
  for (const Program* other :
       {&bench_program(), &compare_program(), &convert_program(), &doctor_program(),
        &eval_program(), &score_program(), &verify_program()}) {
    if (other->name != program.name) {
      others += concat(others.empty() ? "" : ", ", dashed(other->name), "(1)");
    }
  }
  return concat(text, ".SH SEE ALSO\n", others, "\n");
}

}  // namespace lazymar
