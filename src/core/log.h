#pragma once
/// Log messages: to stderr and, once a run folder exists, to its log file.

#include <filesystem>
#include <string>

namespace lazymar {

void log_info(const std::string& message);
void log_warning(const std::string& message);

/// From now on messages also go to this file. Throws Error (output) if it cannot be opened.
void log_to_file(const std::filesystem::path& path);

}  // namespace lazymar
