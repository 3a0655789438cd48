#pragma once
/// lazymar_score --rules: passes of the rules of pictures, by class.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/exit_code.h"

namespace lazymar {

/// Checks the images of run folders, prints passes by class, and leaves them in the runs'
/// info/rules.json. Runs after the first are also compared with the first. `json`: a file for all
/// of it; "-" for stdout, and the table goes to stderr. Throws Error.
ExitCode score_rules(const std::vector<std::filesystem::path>& runs,
                     const std::optional<std::filesystem::path>& json, int64_t threads);

}  // namespace lazymar
