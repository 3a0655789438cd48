#pragma once
/// One call at a time: a model's batches share what it keeps between decoding steps.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace lazymar {

class Turns {
 public:
  /// Until no other thread has the turn; calls `poll`, if there is one, several times a second. It
  /// may throw. Throws Error (usage) if this thread has the turn already: it would wait for itself.
  void take(const std::function<void()>& poll);
  void give_back();

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  std::thread::id owner_;  ///< no thread's: free
};

/// Has the turn while it exists.
class Turn {
 public:
  Turn(Turns& turns, const std::function<void()>& poll) : turns_(turns) { turns_.take(poll); }
  ~Turn() { turns_.give_back(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

}  // namespace lazymar
