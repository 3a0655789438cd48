#pragma once
/// For those who look at something while other work goes on.

#include <chrono>
#include <functional>
#include <thread>

namespace lazymar {

/// Calls `work` on a thread of its own, after `first` and then every `pause`, until the thread is
/// asked to stop, as it is when it is destroyed.
std::jthread periodic_thread(std::chrono::milliseconds first, std::chrono::milliseconds pause,
                             std::function<void()> work);

}  // namespace lazymar
