#pragma once
/// Checks that outputs can be written, before long work instead of after it.

#include <filesystem>
#include <string_view>

namespace lazymar {

/// Tries to create a temporary file in the nearest existing parent of `folder`, and removes it.
/// Throws Error (output) that begins with `name`, the flag that gave the path, and says what to do.
void check_output_folder(const std::filesystem::path& folder, std::string_view name);

/// The same for a file in an existing folder; it may replace a regular file.
void check_output_file(const std::filesystem::path& file, std::string_view name);

}  // namespace lazymar
