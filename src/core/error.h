#pragma once
/// The one exception type of this project.

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace lazymar {

/// What a caller can do about an error.
enum class ErrorKind {
  kInvalid,     ///< input or settings cannot be used: change them
  kFailed,      ///< it ran and found a failure (failed images)
  kInternal,    ///< a bug, or an error in a library
  kOutput,      ///< output cannot be written
  kIncomplete,  ///< stopped before the end: run it again
};

/// One line: what is wrong, where, and what to do.
class Error : public std::runtime_error {
 public:
  /// `setting`: the name of the setting that is wrong, if it is one; the message begins with it.
  Error(ErrorKind kind, const std::string& message, std::string setting = {})
      : std::runtime_error(message), kind_(kind), setting_(std::move(setting)) {}
  ErrorKind kind() const { return kind_; }
  const std::string& setting() const { return setting_; }

 private:
  ErrorKind kind_;
  std::string setting_;
};

/// All arguments as one string, as operator<< prints them.
template <typename... Parts>
std::string concat(Parts&&... parts) {
  std::ostringstream out;
  (out << ... << std::forward<Parts>(parts));
  return out.str();
}

/// Input that cannot be used.
template <typename... Parts>
Error usage_error(Parts&&... parts) {
  return Error(ErrorKind::kInvalid, concat(std::forward<Parts>(parts)...));
}

/// A setting that cannot be used. Programs show it by the name of its flag.
template <typename... Parts>
Error setting_error(std::string_view setting, Parts&&... parts) {
  return Error(ErrorKind::kInvalid, concat(setting, std::forward<Parts>(parts)...),
               std::string(setting));
}

/// Output that cannot be written.
template <typename... Parts>
Error output_error(Parts&&... parts) {
  return Error(ErrorKind::kOutput, concat(std::forward<Parts>(parts)...));
}

}  // namespace lazymar
