#include "core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "core/error.h"

namespace lazymar {
namespace {

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("lazymar", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made.set_pattern("[%H:%M:%S] %^%l%$: %v");
    return made;
  }();
  return instance;
}

}  // namespace

void log_info(const std::string& message) {
  logger().info(message);
}

void log_warning(const std::string& message) {
  logger().warn(message);
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
