#pragma once
/// The common part of every tool's main().

#include <cstdio>
#include <functional>

#include "cli/parse.h"
#include "cli/program.h"
#include "core/error.h"
#include "core/exit_code.h"

namespace lazymar {

/// Runs `body` and turns an exception into an exit status and one line on stderr, prefixed with the
/// program's name. The status is an Error's own, and 70 for anything else (LibTorch's errors, out
/// of memory).
int run_main(const char* program, const std::function<ExitCode()>& body);

/// A tool's main: reads the command line and runs `work` with its options. Without arguments it
/// prints a short usage and exits with 2.
template <typename Options, typename Work>
int run_tool(const Program& program, Parsed<Options> (*parse)(int, const char* const*), int argc,
             const char* const* argv, Work work) {
  return run_main(program.name.c_str(), [&] {
    if (argc < 2 && !program.works_alone) {
      std::fputs(short_usage(program).c_str(), stderr);
      return ExitCode::kUsage;
    }
    const Parsed<Options> parsed = parse(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return ExitCode::kDone;
    }
    return work(parsed.options);
  });
}

}  // namespace lazymar
