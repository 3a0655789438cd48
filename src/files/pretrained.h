#pragma once
/// Where weights and statistics are that no option names by its own path.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lazymar {

/// Folders laid out like pretrained_models/ (mar/NAME, vae/, inception/), in the order in which
/// they are searched: `chosen` (--checkpoint_dir), $LAZYMAR_HOME/pretrained_models,
/// pretrained_models in the working directory, and what was installed with the program. Not all
/// need to exist.
std::vector<std::filesystem::path> pretrained_folders(
    const std::optional<std::filesystem::path>& chosen = {});

/// "pretrained_models/x" in the first of these folders that has it, else the path itself. Any other
/// path is returned unchanged.
std::filesystem::path find_pretrained(const std::filesystem::path& path,
                                      const std::optional<std::filesystem::path>& chosen = {});

/// These folders for people: "A, B (no such folder)".
std::string pretrained_places(const std::optional<std::filesystem::path>& chosen = {});

/// "; looked in A, B (no such folder); --checkpoint_dir names another folder", for errors.
std::string where_looked(const std::optional<std::filesystem::path>& chosen = {});

}  // namespace lazymar
