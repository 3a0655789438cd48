#pragma once
/// Waiting for another process of the run, before anything is made.

#include <chrono>
#include <string>

namespace lazymar {

class Waiting {
 public:
  /// `what`, such as "for rank 0 to open FOLDER", is logged if the wait is not over within seconds.
  explicit Waiting(std::string what);

  /// Throws Error (incomplete) if this process has been asked to stop.
  void pause();
  double seconds() const;

 private:
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace lazymar
