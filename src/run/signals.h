#pragma once
/// Stop requests: a flag that the work checks between its steps.

#include <optional>

namespace lazymar {

/// From now on SIGTERM, SIGINT and SIGUSR1 ask this process to stop. It ends at once on a second
/// SIGINT (exit status 130), or `grace` seconds after the first request (exit status 75). Files are
/// always complete or absent, so nothing is lost.
void watch_stop_signals(double grace);

/// A stop request that was received.
struct StopRequest {
  int signal = 0;
  double seconds_left = 0.0;  ///< of the grace
};
std::optional<StopRequest> stop_request();

}  // namespace lazymar
