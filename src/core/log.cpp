#include "core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace lazymar {
namespace {

/// Without TERM, nobody knows what the terminal understands.
bool dumb_terminal() {
  const char* const term = std::getenv("TERM");
  return term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
}

std::mutex progress_mutex;
bool progress_shown = false;

/// Takes the progress line away, so that a message can stand there.
void clear_progress() {
  const std::lock_guard lock(progress_mutex);
  if (progress_shown) {
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    progress_shown = false;
  }
}

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("lazymar", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    if (const char* no_colour = std::getenv("NO_COLOR");
        (no_colour != nullptr && *no_colour != '\0') || dumb_terminal()) {
      static_cast<spdlog::sinks::stderr_color_sink_mt&>(*made.sinks().front())
          .set_color_mode(spdlog::color_mode::never);
    }
    made.set_pattern("[%H:%M:%S] %^%l%$: %v");
    return made;
  }();
  return instance;
}

void write(spdlog::level::level_enum level, const std::string& message) {
  if (logger().should_log(level)) {
    clear_progress();
    logger().log(level, visible(message));
  }
}

}  // namespace

void set_log_level(LogLevel level) {
  logger().set_level(level == LogLevel::kInfo      ? spdlog::level::info
                     : level == LogLevel::kWarning ? spdlog::level::warn
                                                   : spdlog::level::off);
}

void log_info(const std::string& message) {
  write(spdlog::level::info, message);
}

void log_warning(const std::string& message) {
  write(spdlog::level::warn, message);
}

void log_warning_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> given;
  const std::lock_guard lock(mutex);
  if (given.insert(message).second) {
    log_warning(message);
  }
}

bool can_replace_lines() {
  return ::isatty(STDERR_FILENO) == 1 && !dumb_terminal();
}

int64_t terminal_columns() {
  constexpr int64_t kUsual = 80;
  if (const char* const columns = std::getenv("COLUMNS"); columns != nullptr) {
    if (const int64_t given = parse_index(columns); given > 0) {
      return given;
    }
  }
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

void show_progress(const std::string& line) {
  const std::string text = visible(line).substr(0, static_cast<size_t>(terminal_columns()) - 1);
  const std::lock_guard lock(progress_mutex);
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
  std::fflush(stderr);
  progress_shown = true;
}

void end_progress() {
  const std::lock_guard lock(progress_mutex);
  if (progress_shown) {
    std::fputs("\n", stderr);
    progress_shown = false;
  }
}

void log_to_file(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    sink->set_pattern("[%Y-%m-%d %H:%M:%S] %l: %v");
    logger().sinks().push_back(std::move(sink));
    logger().flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& error) {
    throw output_error(path.string(), ": ", error.what());
  }
}

}  // namespace lazymar
