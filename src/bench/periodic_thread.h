#pragma once
/// Calls a function periodically on a background thread.

#include <chrono>
#include <functional>
#include <thread>

namespace lazymar {

/// Calls `work` on its own thread, after `first` and then every `pause`, until stopped or
/// destroyed.
std::jthread periodic_thread(std::chrono::milliseconds first, std::chrono::milliseconds pause,
                             std::function<void()> work);

}  // namespace lazymar
