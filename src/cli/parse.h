#pragma once
/// Parses a command line into an options struct, by its rows.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/program.h"
#include "core/error.h"
#include "core/option_row.h"

namespace lazymar {

/// Either the options, or text to print before a successful exit (--help, --version).
template <typename Options>
struct Parsed {
  Options options;
  std::vector<std::string> operands;
  std::optional<std::string> text;
  std::vector<std::string> given;  ///< names of the options that were given
};

/// Reads the given options into `options`, row by row. Throws Error (usage) that names the option.
template <typename Options>
void read_rows(const OptionTable<Options>& table, const Arguments& arguments, Options& options) {
  for (const OptionRow<Options>& row : table) {
    const std::string& name = row.info.name;
    if (!arguments.given(name)) {
      continue;
    }
    for (const OptionNeed<Options>& need : row.needs) {
      if (!need.holds(options)) {
        throw usage_error("--", name, " has no effect without ", need.what);
      }
    }
    try {
      row.field.read(options, arguments.text(name));
    } catch (const Error& error) {
      // A message that begins with the setting names it already.
      throw usage_error("--", error.setting() == name ? "" : name + " ", error.what());
    }
  }
}

/// The text for --help or --version.
std::optional<std::string> information(const Program& program, const Arguments& arguments,
                                       std::vector<OptionInfo> options);

/// `options`: the values of options that are not given.
template <typename Options>
Parsed<Options> parse(const Program& program, const OptionTable<Options>& table, int argc,
                      const char* const* argv, Options options = {}) {
  const std::vector<OptionInfo> infos = describe(table);
  const Arguments arguments(infos, argc, argv);
  Parsed<Options> parsed{
      std::move(options), arguments.operands(), information(program, arguments, infos), {}};
  if (parsed.text) {
    return parsed;
  }
  if (program.operands.empty() && !parsed.operands.empty()) {
    throw usage_error("unexpected argument \"", parsed.operands.front(),
                      "\"; --help lists the options");
  }
  read_rows(table, arguments, parsed.options);
  for (const OptionInfo& info : infos) {
    if (arguments.given(info.name)) {
      parsed.given.push_back(info.name);
    }
  }
  return parsed;
}

}  // namespace lazymar
