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
  read_rows(table, arguments.texts(), parsed.options);
  for (const OptionInfo& info : infos) {
    if (arguments.given(info.name)) {
      parsed.given.push_back(info.name);
    }
  }
  return parsed;
}

}  // namespace lazymar
