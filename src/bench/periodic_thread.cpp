#include "bench/periodic_thread.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace lazymar {

std::jthread periodic_thread(std::chrono::milliseconds first, std::chrono::milliseconds pause,
                             std::function<void()> work) {
  return std::jthread([first, pause, work = std::move(work)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any over;
    std::unique_lock lock(mutex);
    over.wait_for(lock, stop, first, [] { return false; });
    while (!stop.stop_requested()) {
      work();
      over.wait_for(lock, stop, pause, [] { return false; });
    }
  });
}

}  // namespace lazymar
