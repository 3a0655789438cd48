#pragma once
/// Log messages: to stderr and, once a run folder exists, to its log file.

#include <cstdint>
#include <filesystem>
#include <string>

namespace lazymar {

/// The least that is said. Programs say kInfo and more.
enum class LogLevel { kInfo, kWarning, kOff };
void set_log_level(LogLevel level);

void log_info(const std::string& message);
void log_warning(const std::string& message);
/// A warning whose text this process has not given yet. Thread-safe.
void log_warning_once(const std::string& message);

/// Whether stderr is a terminal that can replace a line; not with TERM=dumb.
bool can_replace_lines();
/// The terminal's width in characters: COLUMNS, else what the terminal says, else 80.
int64_t terminal_columns();
/// Shows one line of progress at the terminal's last line in place of the one before, cut to the
/// width; messages come above it. end_progress() leaves the line and begins the next. Thread-safe.
void show_progress(const std::string& line);
void end_progress();

/// From now on messages also go to this file. Throws Error (output) if it cannot be opened.
void log_to_file(const std::filesystem::path& path);

}  // namespace lazymar
