#pragma once
/// Whether what a program is to write can be written: asked before long work, not after it.

#include <filesystem>
#include <string_view>

namespace lazymar {

/// Tries to make a file below `folder`, in the nearest folder above that is there; leaves nothing
/// behind and creates nothing. Throws Error (output) that begins with `name`, the flag that names
/// the place, and says what to do.
void check_output_folder(const std::filesystem::path& folder, std::string_view name);

/// The same for a file in a folder that has to be there: it is made, or replaces a regular file.
void check_output_file(const std::filesystem::path& file, std::string_view name);

}  // namespace lazymar
