#pragma once
/// lazymar_score --rules: passes of the pictures' rules, by class.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/exit_code.h"

namespace lazymar {

/// Checks the images of run folders, prints passes by class, and writes them to the runs'
/// info/rules.json. Later runs are also compared with the first. `json`: a file for all results;
/// "-" means stdout, and the table then goes to stderr. Throws Error.
ExitCode score_rules(const std::vector<std::filesystem::path>& runs,
                     const std::optional<std::filesystem::path>& json, int64_t threads);

}  // namespace lazymar
