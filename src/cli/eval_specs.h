#pragma once
/// lazymar_eval's flags as a table.

#include <span>

#include "cli/arguments.h"

namespace lazymar {

/// The group of the originals' flags that are accepted, not listed, and named in a warning.
inline constexpr const char* kIgnored = "";

std::span<const OptionSpec> eval_flags();

}  // namespace lazymar
