#pragma once
/// The programs' exit codes.

#include "core/error.h"

namespace lazymar {

/// Exit status of every tool; the numbers above 63 are those of sysexits.h.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,        ///< it ran and found a failure (above the tolerance, failed images)
  kUsage = 2,         ///< unusable input or settings
  kInternal = 70,     ///< a bug, or an error in a library
  kDeviceFault = 71,  ///< the GPU refuses all further work of the process (EX_OSERR)
  kOutput = 74,       ///< output cannot be written
  kIncomplete = 75,   ///< stopped before the end: run it again
  kInterrupted = 130  ///< second interrupt
};

constexpr ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return ExitCode::kUsage;
    case ErrorKind::kFailed:
      return ExitCode::kFailed;
    case ErrorKind::kOutput:
      return ExitCode::kOutput;
    case ErrorKind::kIncomplete:
      return ExitCode::kIncomplete;
    case ErrorKind::kInternal:
      break;
  }
  return ExitCode::kInternal;
}

}  // namespace lazymar
