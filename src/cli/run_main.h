#pragma once
/// What every tool's main does around its work.

#include <functional>

#include "core/error.h"

namespace lazymar {

/// Runs `body` and turns what it throws into one line on stderr, the program's name before it, and
/// an exit status: Error into its own, anything else (LibTorch's errors, out of memory) into 70.
int run_main(const char* program, const std::function<ExitCode()>& body);

}  // namespace lazymar
