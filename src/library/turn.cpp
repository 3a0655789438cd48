#include "library/turn.h"

#include <chrono>

#include "core/error.h"

namespace lazymar {

void Turns::take(const std::function<void()>& poll) {
  constexpr std::chrono::milliseconds kBetweenPolls{100};
  const std::thread::id self = std::this_thread::get_id();
  std::unique_lock lock(mutex_);
  if (owner_ == self) {
    throw usage_error(
        "this model is drawing: its progress callback cannot use it; wait for the batch, or open "
        "another model");
  }
  const auto is_free = [this] { return owner_ == std::thread::id(); };
  while (!free_.wait_for(lock, kBetweenPolls, is_free)) {
    if (poll) {
      lock.unlock();
      poll();
      lock.lock();
    }
  }
  owner_ = self;
}

void Turns::give_back() {
  {
    const std::lock_guard lock(mutex_);
    owner_ = std::thread::id();
  }
  free_.notify_one();
}

}  // namespace lazymar
