#pragma once
/// The one exception type of this project, and the exit codes of its programs.

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace lazymar {

/// Exit status of every tool; the numbers above 63 are those of sysexits.h.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,        ///< it ran and found a failure (above the tolerance, failed images)
  kUsage = 2,         ///< unusable input or settings
  kInternal = 70,     ///< a bug, or an error in a library
  kOutput = 74,       ///< output cannot be written
  kIncomplete = 75,   ///< stopped before the end: run it again
  kInterrupted = 130  ///< second interrupt
};

/// One line: what is wrong, where, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// All arguments as one string, as operator<< prints them.
template <typename... Parts>
std::string concat(Parts&&... parts) {
  std::ostringstream out;
  (out << ... << std::forward<Parts>(parts));
  return out.str();
}

/// Input or settings that cannot be used (exit status 2).
template <typename... Parts>
Error usage_error(Parts&&... parts) {
  return Error(ExitCode::kUsage, concat(std::forward<Parts>(parts)...));
}

/// Output that cannot be written (exit status 74).
template <typename... Parts>
Error output_error(Parts&&... parts) {
  return Error(ExitCode::kOutput, concat(std::forward<Parts>(parts)...));
}

}  // namespace lazymar
