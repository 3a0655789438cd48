#pragma once
/// Stop requests: a flag that the work checks between its steps.

#include <optional>

namespace lazymar {

/// From now on SIGTERM, SIGINT and SIGUSR1 ask this process to stop. A second SIGINT ends it at
/// once (exit status 130), and so does the grace, in seconds, after the first request (exit status
/// 75): files are always complete or absent, so nothing is lost.
void watch_stop_signals(double grace);

/// A request that has come in.
struct StopRequest {
  int signal = 0;
  double seconds_left = 0.0;  ///< of the grace
};
std::optional<StopRequest> stop_request();

}  // namespace lazymar
