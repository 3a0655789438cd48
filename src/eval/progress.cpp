#include "lazymar/eval/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "lazymar/core/error.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBarWidth = 30;
constexpr auto kPlainInterval = std::chrono::seconds(10);

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", static_cast<long>(whole / 3600),
                  static_cast<long>(whole / 60 % 60), static_cast<long>(whole % 60));
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", static_cast<long>(whole / 60),
                  static_cast<long>(whole % 60));
  }
  return text;
}

std::string progress_text(int64_t done, int64_t total, double seconds, int width) {
  std::string text;
  if (width > 0) {
    const auto filled = static_cast<size_t>(width * done / total);
    text = "[" + std::string(filled, '#') + std::string(static_cast<size_t>(width) - filled, ' ') +
           "] ";
  }
  text += concat(done, "/", total, " images");
  if (done > 0 && seconds > 0) {
    const double rate = static_cast<double>(done) / seconds;
    char figures[64];
    std::snprintf(figures, sizeof figures, ", %.2f images/s, ", rate);
    text += figures + duration_text(static_cast<double>(total - done) / rate) + " left";
  }
  return text;
}

Progress::Progress(int64_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (open_) {
    std::fputs("\n", stderr);
  }
}

void Progress::start() {
  if (terminal_) {
    update(0);
  }
}

void Progress::update(int64_t done) {
  const auto now = Clock::now();
  const double seconds = seconds_between(started_, now);
  if (terminal_) {
    std::fprintf(stderr, "\r%s\033[K", progress_text(done, total_, seconds, kBarWidth).c_str());
    std::fflush(stderr);
    open_ = true;
  } else if (done == total_ || now - last_line_ >= kPlainInterval) {
    std::fprintf(stderr, "%s\n", progress_text(done, total_, seconds, 0).c_str());
    last_line_ = now;
  }
}

}  // namespace lazymar
